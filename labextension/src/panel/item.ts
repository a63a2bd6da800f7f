/** What a section of the panel is made of, and what can be done with it. */

import type { Header } from '../runview/types';
import type { Things } from '../things';
import type { Catalog } from './types';

/** A text that is asked for before something is done. */
export interface Field {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly isRequired?: boolean;
  /** More than one line. */
  readonly isLong?: boolean;
}

/** What an action may use. */
export interface Doings {
  /** Root folder of the workspace that is shown. */
  readonly workspace: string;
  readonly things: Things;
  /** Put code into a notebook. */
  insert(code: string): Promise<void>;
  /** Run a command, such as one that opens a view; the workspace goes with it. */
  run(command: string, args: Readonly<Record<string, string | number>>): Promise<void>;
  copy(text: string): Promise<void>;
  /** Let the browser save what is at an address. */
  save(address: string): void;
  /** Open an address of another server in a page of its own. */
  visit(address: string): void;
}

/** Something that can be done with a thing. */
export interface Action {
  readonly label: string;
  /** A key that does it while its line has the focus. */
  readonly key?: 'Delete' | 'F2';
  /** Asked before it is done. */
  readonly confirm?: string;
  readonly isDangerous?: boolean;
  readonly fields?: readonly Field[];
  /** What the button says that does it, where the label does not fit. */
  readonly submit?: string;
  /** Whether the lists may be others afterwards. */
  readonly changes?: boolean;
  /** Do it, and return what to say of it; an error is shown where it was asked for. */
  run(doings: Doings, values: Readonly<Record<string, string>>): Promise<string>;
}

/** One line of a section. */
export interface Item {
  readonly key: string;
  readonly title: string;
  readonly note: string;
  /** Whether the note may take several lines. */
  readonly isWrapped?: boolean;
  /** Shown when the pointer rests on it, below title and note. */
  readonly more?: string;
  /** A state with a colour of its own, such as a run's. */
  readonly status?: string;
  /** How far it is, from 0 to 1. */
  readonly progress?: number | null;
  /** Heading under which it stands. */
  readonly group?: string;
  /** Python for a new cell. */
  readonly code: string;
  /** The first is done by a double click, too. */
  readonly actions: readonly [Action, ...Action[]];
}

/** What live runs say of themselves over the websocket, by their ids. */
export type Live = ReadonlyMap<string, Header>;

/** A kind of things: one file in `sections/`, one line in its index. */
export interface SectionKind {
  /** Its name in the settings. */
  readonly id: string;
  readonly name: string;
  /** What to say, and to do, when there are none. */
  readonly empty: string;
  items(catalog: Catalog, live: Live): Item[];
}
