/** Names of commands that several parts use. */

export const OPEN_PANEL = 'nbautoml:open-panel';
export const REFRESH = 'nbautoml:refresh';
export const OPEN_RUN = 'nbautoml:open-run';
export const OPEN_RUN_BY_ID = 'nbautoml:open-run-by-id';
export const OPEN_DATASET = 'nbautoml:open-dataset';
export const OPEN_MODEL = 'nbautoml:open-model';
export const OPEN_COMPUTE = 'nbautoml:open-compute';
export const OPEN_DEPLOYMENT = 'nbautoml:open-deployment';
export const OPEN_PIPELINE = 'nbautoml:open-pipeline';
export const STOP_RUN = 'nbautoml:stop-run';
export const INSERT_CODE = 'nbautoml:insert-code';
/** The wizard's, where it is there. */
export const NEW_RUN = 'nbautoml:new-run';
