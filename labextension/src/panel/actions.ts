/** Actions that many things have. */

import { formatTags, parseTags } from '../details/tags';
import type { Words } from '../details/types';
import { plural } from '../runview/format';
import type { Action, Doings } from './item';

export function insertCode(code: string): Action {
  return { label: 'Insert code', run: async doings => (await doings.insert(code), '') };
}

export function copyText(label: string, text: string): Action {
  return {
    label,
    run: async doings => {
      await doings.copy(text);
      return 'Copied.';
    }
  };
}

export function openBy(label: string, command: string, args: Readonly<Record<string, string | number>>): Action {
  return { label, run: async doings => (await doings.run(command, args), '') };
}

export function saveFrom(label: string, address: (doings: Doings) => string): Action {
  return {
    label,
    run: async doings => {
      doings.save(address(doings));
      return '';
    }
  };
}

/** Ask for description and tags, and pass on what differs from before. */
export function editWords(
  now: { description: string; tags: Readonly<Record<string, string>> },
  change: (doings: Doings, words: Words) => Promise<void>
): Action {
  return {
    label: 'Edit description and tags…',
    key: 'F2',
    submit: 'Save',
    changes: true,
    fields: [
      { name: 'description', label: 'Description', value: now.description, isLong: true },
      { name: 'tags', label: 'Tags, one a line: name: value', value: formatTags(now.tags), isLong: true }
    ],
    run: async (doings, values) => {
      const words: Words = {};
      if (values['description'] !== now.description) {
        words.description = values['description'] ?? '';
      }
      const tags = parseTags(values['tags'] ?? '');
      if (formatTags(tags) !== formatTags(now.tags)) {
        words.tags = tags;
      }
      if (!Object.keys(words).length) {
        return 'Nothing was changed.';
      }
      await change(doings, words);
      return 'Saved.';
    }
  };
}

export function deleteVersion(name: string, version: number): Action {
  return {
    label: 'Delete version…',
    key: 'Delete',
    confirm: `Delete version ${version} of ${name}? Its number is not used again; the run that made it keeps its files.`,
    isDangerous: true,
    changes: true,
    run: async ({ things }) => {
      await things.deleteModel(name, version);
      return `Version ${version} of ${name} is deleted.`;
    }
  };
}

export function unregister(id: string, name: string): Action {
  return {
    label: 'Unregister all versions…',
    key: 'Delete',
    confirm: `Take the name ${name} off all its versions? Runs that used them keep their content.`,
    isDangerous: true,
    changes: true,
    run: async ({ things }) => `${name} is no longer registered (${plural(await things.unregister(id), 'version')}).`
  };
}
