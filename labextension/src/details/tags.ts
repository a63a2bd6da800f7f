/** Tags as people write them: one a line, `name: value`. */

export function formatTags(tags: Readonly<Record<string, string>>): string {
  const line = ([name, value]: [string, string]): string => (value ? `${name}: ${value}` : name);
  return Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1)).map(line).join('\n');
}

export function parseTags(text: string): Record<string, string> {
  const pairs = text.split('\n').map((line): [string, string] => {
    const at = line.indexOf(':');
    return at < 0 ? [line.trim(), ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  });
  return Object.fromEntries(pairs.filter(([name]) => name !== ''));
}
