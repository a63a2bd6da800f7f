/** Plotly's script comes without types; `plot.ts` says what it uses of it. */
declare module 'plotly.js-cartesian-dist-min' {
  const plotly: unknown;
  export default plotly;
}
