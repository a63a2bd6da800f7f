import { el, freshId } from '../runview/dom';
import type { Context } from './controls';
import type { Draft } from './draft';
import { Field } from './field';
import type { FieldSpec, SectionSpec } from './types';

/** A part of the form with its heading: fields, and more of them folded away. */
export class FormSection {
  readonly node: HTMLElement;
  readonly fields: readonly Field[];
  readonly #body = el('div', { class: 'nba-fields' });

  constructor(spec: SectionSpec, step: number, draft: Draft) {
    this.node = sectionNode(`${step}. ${spec.title}`, spec.name);
    const make = (field: FieldSpec): Field => new Field(field, draft);
    const first = spec.fields.map(make);
    const more = spec.more.map(make);
    this.fields = [...first, ...more];
    this.#body.append(...first.map(field => field.node));
    this.node.append(this.#body);
    if (more.length) {
      this.node.append(folded(spec.more, more));
    }
  }

  field(name: string): Field | undefined {
    return this.fields.find(field => field.name === name);
  }

  update(context: Context): void {
    for (const field of this.fields) {
      field.update(context);
    }
  }
}

/** An empty part with its heading. */
export function sectionNode(title: string, name: string): HTMLElement {
  const id = freshId('part');
  const node = el('section', { class: `nba-part nba-part-${name}`, 'aria-labelledby': id });
  node.append(el('h3', { id }, title));
  return node;
}

/** The rest of the fields, by the headings of the reference. */
function folded(specs: readonly FieldSpec[], fields: readonly Field[]): HTMLElement {
  const node = el('details', { class: 'nba-more' }, el('summary', {}, `More settings (${fields.length})`));
  let group = '';
  let body = el('div', { class: 'nba-fields' });
  specs.forEach((spec, i) => {
    if (spec.group !== group || i === 0) {
      group = spec.group;
      body = el('div', { class: 'nba-fields' });
      node.append(el('h4', {}, group), body);
    }
    const field = fields[i];
    if (field) {
      body.append(field.node);
    }
  });
  return node;
}
