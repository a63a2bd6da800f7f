/** Sends a chosen file to the server through JupyterLab's contents, part by part. */

/** The part of JupyterLab's contents that is used here. */
export interface Contents {
  get(path: string, options: { content: boolean }): Promise<{ content: unknown }>;
  save(path: string, options: Part): Promise<{ path: string }>;
  delete(path: string): Promise<void>;
}

interface Part {
  readonly type: 'file';
  readonly format: 'base64';
  readonly name: string;
  readonly content: string;
  /** From 1; the last one of several is -1. */
  readonly chunk?: number;
}

const PART_BYTES = 1 << 20;
const LONGEST_NAME = 120;

/**
 * A name that every file system and every command takes: letters and digits of any script, and
 * `-_.()` and blanks between them.
 */
export function safeName(name: string): string {
  const plain = (name.split(/[\\/]/).pop() ?? '')
    .normalize('NFC')
    .replace(/[^\p{L}\p{M}\p{N}\-_.() ]/gu, '_')
    .replace(/^[.\- ]+|[. ]+$/g, '');
  const at = plain.indexOf('.');
  const end = at < 0 ? '' : plain.slice(at).slice(-LONGEST_NAME / 4);
  return `${(at < 0 ? plain : plain.slice(0, at)).slice(0, LONGEST_NAME) || 'data'}${end}`;
}

/** The name, or the name with the first number that makes it a new one. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  const at = name.indexOf('.');
  const [stem, end] = at < 0 ? [name, ''] : [name.slice(0, at), name.slice(at)];
  let free = name;
  for (let n = 1; taken.has(free); n += 1) {
    free = `${stem} (${n})${end}`;
  }
  return free;
}

/**
 * Write a file into a folder under a name that is free there; returns its path.
 *
 * What was written is taken back when something goes wrong or `signal` says stop.
 */
export async function upload(
  file: File,
  folder: string,
  contents: Contents,
  told: (doneBytes: number) => void,
  signal: AbortSignal
): Promise<string> {
  const name = freeName(safeName(file.name), await names(contents, folder));
  const path = folder ? `${folder}/${name}` : name;
  const count = Math.max(1, Math.ceil(file.size / PART_BYTES));
  let written = '';
  try {
    for (let part = 1; part <= count; part += 1) {
      signal.throwIfAborted();
      const content = await base64(file.slice((part - 1) * PART_BYTES, part * PART_BYTES));
      const chunk = count === 1 ? {} : { chunk: part === count ? -1 : part };
      written = (await contents.save(path, { type: 'file', format: 'base64', name, content, ...chunk })).path;
      told(Math.min(file.size, part * PART_BYTES));
    }
    signal.throwIfAborted();
  } catch (error) {
    if (written) {
      await contents.delete(written).catch(() => undefined);
    }
    throw error;
  }
  return written;
}

async function names(contents: Contents, folder: string): Promise<ReadonlySet<string>> {
  const { content } = await contents.get(folder, { content: true });
  return new Set(Array.isArray(content) ? content.map((item: { name: string }) => item.name) : []);
}

function base64(part: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).split(',')[1] ?? '');
    reader.onerror = () => reject(new Error('The file cannot be read; it may have been moved or changed.'));
    reader.readAsDataURL(part);
  });
}
