import type { Explanation } from './types';

/** A part of the tab that shows an explanation. */
export interface ExplanationPart {
  readonly node: HTMLElement;
  show(explanation: Explanation): void;
  setOpen?(isOpen: boolean): void;
  dispose?(): void;
}

/** A page of the tab. */
export interface ExplanationPage {
  readonly label: string;
  readonly part: ExplanationPart;
}
