import type { Component } from './component';
import { el, setText } from './dom';
import { bytes, count, plural, score, spread } from './format';
import type { RunState } from './model';
import type { Header } from './types';

interface Tile {
  name: string;
  value: string;
  note: string;
}

/** Four figures: best score, iterations, compute, data. */
export class Tiles implements Component {
  readonly node = el('div', { class: 'nba-tiles', role: 'group', 'aria-label': 'Figures' });
  readonly #cells = [0, 1, 2, 3].map(() => {
    const cell = { name: el('span'), value: el('strong', { class: 'nba-value' }), note: el('span') };
    this.node.append(el('div', {}, cell.name, cell.value, cell.note));
    return cell;
  });

  update(state: RunState): void {
    tiles(state.header).forEach((tile, i) => {
      const cell = this.#cells[i];
      if (cell) {
        setText(cell.name, tile.name);
        setText(cell.value, tile.value || '–');
        setText(cell.note, tile.note);
      }
    });
  }
}

/** What the tiles say. */
export function tiles(header: Header): Tile[] {
  return [bestTile(header), iterationsTile(header), computeTile(header), dataTile(header)];
}

function bestTile(header: Header): Tile {
  const { best, metric } = header;
  const name = `Best ${metric?.name ?? 'score'}`;
  if (!best) {
    return { name, value: '', note: 'no model yet' };
  }
  const std = spread(best.std);
  return { name, value: score(best.score), note: `${std ? `± ${std} · ` : ''}iteration ${best.n}` };
}

function iterationsTile(header: Header): Tile {
  const parts = [`${count(header.n_done - header.n_failed)} done`];
  if (header.n_stopped) {
    parts.push(`${count(header.n_stopped)} stopped early`);
  }
  if (header.n_failed > header.n_stopped) {
    parts.push(`${count(header.n_failed - header.n_stopped)} failed`);
  }
  const value = count(header.n_done);
  return { name: 'Iterations', value, note: header.n_total ? parts.join(' · ') : 'none yet' };
}

function computeTile(header: Header): Tile {
  const compute = header.compute;
  if (!compute) {
    return { name: 'Compute', value: '', note: '' };
  }
  const parts: string[] = [];
  if (compute.workers !== null) {
    parts.push(workersNote(compute.workers, header.is_live ? compute.busy : null));
  }
  if (compute.memory_bytes !== null) {
    parts.push(bytes(compute.memory_bytes));
  }
  return { name: 'Compute', value: compute.name, note: parts.join(' · ') };
}

function workersNote(workers: number, busy: number | null): string {
  if (busy === null) {
    return plural(workers, 'worker');
  }
  return busy === workers ? `${plural(workers, 'worker')} busy` : `${busy} of ${workers} busy`;
}

function dataTile(header: Header): Tile {
  const data = header.data;
  if (!data) {
    return { name: 'Data', value: '', note: header.dataset ?? '' };
  }
  const split = data.folds > 1 ? plural(data.folds, 'fold') : 'hold-out split';
  const alerts = header.alerts ? ` · ${plural(header.alerts, 'guardrail alert')}` : '';
  return { name: 'Data', value: `${count(data.rows)} × ${count(data.columns)}`, note: split + alerts };
}
