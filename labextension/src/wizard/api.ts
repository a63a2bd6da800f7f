import type { Api } from '../api';
import type { DraftAnswer, DraftRequest, StartedRun, TableProfile, WizardOptions, WizardSource } from './types';

/** The server's answers to the form. */
export class WizardApi implements WizardSource {
  constructor(private readonly api: Api) {}

  async options(workspace: string, folder: string): Promise<WizardOptions> {
    return (await this.api.call('wizard/options', { workspace, folder })) as WizardOptions;
  }

  async data(workspace: string, folder: string, source: string): Promise<TableProfile> {
    return (await this.api.call('wizard/data', { workspace, folder, source })) as TableProfile;
  }

  async code(workspace: string, draft: DraftRequest): Promise<DraftAnswer> {
    return (await this.api.call('wizard/code', { workspace }, draft)) as DraftAnswer;
  }

  async start(workspace: string, draft: DraftRequest): Promise<StartedRun> {
    return (await this.api.call('wizard/run', { workspace }, draft)) as StartedRun;
  }
}
