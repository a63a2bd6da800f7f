import { defineConfig } from 'vitest/config';

import { compile } from './closures.mjs';

/** What is tested is compiled as what is shipped. */
const shipped = {
  name: 'shipped',
  enforce: 'pre',
  transform: (code, id) => (/\/src\/.*\.ts$/.test(id) ? compile(code, id) : null)
};

export default defineConfig({
  plugins: [shipped],
  test: { environment: 'happy-dom', include: ['test/**/*.spec.{ts,mjs}'] }
});
