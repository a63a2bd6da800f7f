import { el, offer } from './dom';
import type { RunExtras } from './extras';
import type { ModelVersion, Onnx } from './types';
import { WordForm } from './wordform';

const ONNX_FILE = 'outputs/model.onnx';

/** What can be done with a model. */
export interface ModelSource {
  register(n: number, name: string, description: string): Promise<ModelVersion>;
  /** Address of all that a model is made of, as one file. */
  archive(n: number): string;
  /** Address of one file of a model. */
  file(n: number, name: string): string;
}

/** Register, download and deploy, for one finished model. */
export class ModelActions {
  readonly node = el('div');

  constructor(n: number, proposal: string, source: ModelSource, extras: RunExtras = {}, onnx: Onnx | null = null) {
    const fields = [['Name', proposal], ['Description', '']] as const;
    const form = new WordForm('Register', 'Registering…', fields, async (asked = '', description = '') => {
      const { name, version } = await source.register(n, asked, description);
      return `Registered as ${name}, version ${version}.`;
    });
    const buttons = el('div', { class: 'nba-actions' }, form.open, saved('Download model', source.archive(n)));
    const deployments = extras.deployments?.(n, proposal);
    this.node.append(buttons);
    if (onnx?.refused) {
      this.node.append(el('p', { class: 'nba-muted' }, `There is no ONNX model: ${onnx.refused}`));
    } else if (onnx) {
      const title = onnx.is_ready ? '' : 'It is written when it is first asked for: that takes a while';
      buttons.append(saved('Download ONNX', source.file(n, ONNX_FILE), title));
    }
    if (deployments) {
      buttons.append(deployments.open);
      this.node.append(deployments.node);
    }
    buttons.append(form.node, form.message);
  }
}

function saved(text: string, address: string, title = ''): HTMLAnchorElement {
  const link = el('a', { class: 'nba-button', download: '', title }, text);
  offer(link, address);
  return link;
}
