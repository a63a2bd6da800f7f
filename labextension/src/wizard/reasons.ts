import type { Draft } from './draft';

/** What is said beside the label and the task: why they were suggested, what is special. */
export interface Reasons {
  readonly label: string;
  readonly task: string;
}

export function reasons(draft: Draft): Reasons {
  const { label, table, task } = draft;
  if (!table) {
    return { label: '', task: '' };
  }
  const { name, reason } = table.label;
  if (!label) {
    return { label: name ? '' : `No label is suggested: ${reason}.`, task: '' };
  }
  const suggested = label.name === name ? `Suggested: ${reason}.` : '';
  const begin = label.task === task ? 'Suggested' : `The values suggest ${label.task ?? 'no task'}`;
  return {
    label: [suggested, label.label_note].filter(Boolean).join(' '),
    task: label.task ? `${begin}: ${label.task_reason}.` : ''
  };
}
