/** What a person has chosen for the panel in JupyterLab's settings. */
export interface PanelSettings {
  readonly pollSeconds: number;
  readonly mostRuns: number;
  /** Whether a section is shown, by its id; one that is not named is. */
  readonly sections: Readonly<Record<string, boolean>>;
}

export const DEFAULTS: PanelSettings = { pollSeconds: 5, mostRuns: 50, sections: {} };

/** Read settings; what is missing or cannot be used is as it is by default. */
export function readSettings(values: Readonly<Record<string, unknown>>): PanelSettings {
  const number = (name: 'pollSeconds' | 'mostRuns', most: number): number => {
    const value = values[name];
    return typeof value === 'number' && value >= 1 && value <= most ? value : DEFAULTS[name];
  };
  const given = values['sections'];
  const entries = typeof given === 'object' && given !== null ? Object.entries(given) : [];
  return {
    pollSeconds: number('pollSeconds', 3600),
    mostRuns: Math.floor(number('mostRuns', 1000)),
    sections: Object.fromEntries(entries.map(([id, isShown]) => [id, isShown !== false]))
  };
}
