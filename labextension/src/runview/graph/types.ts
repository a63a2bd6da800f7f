/** The steps of a pipeline's run, as the server sends them; a key that is absent is empty. */

export interface Step {
  n: number;
  name: string;
  /** What it does: the name of its class. */
  kind: string;
  status: string;
  /** Its own run; none where it is not begun, or its outputs are those of another. */
  run?: string;
  /** The step's run of an earlier pipeline whose outputs it takes. */
  reused_from?: string;
  reason?: string;
  started_at?: number;
  ended_at?: number;
  /** Numbers of the steps that end before it begins. */
  after?: number[];
  inputs?: string[];
  outputs?: string[];
}

/** Where the steps stand: a layer and a lane each, and lines: source, target, lanes between them. */
export interface Graph {
  places: [layer: number, lane: number][];
  lines: [source: number, target: number, ...bends: number[]][];
}
