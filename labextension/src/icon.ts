import { LabIcon } from '@jupyterlab/ui-components';

/** Points of a search with the best one on top; `jp-icon3` takes its colour from the theme. */
const DRAWING = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="16">
  <g class="jp-icon3" fill="#616161">
    <path d="M3 20.2h18v1.6H3z"/>
    <circle cx="5" cy="16" r="1.9"/><circle cx="9.3" cy="11.6" r="1.9"/>
    <circle cx="13.6" cy="13.4" r="1.9"/>
    <path d="M18.6 2l1.35 2.95 3.2.4-2.35 2.2.6 3.2-2.8-1.57-2.8 1.57.6-3.2-2.35-2.2 3.2-.4z"/>
  </g>
</svg>`;

export const automlIcon = new LabIcon({ name: 'nbautoml:automl', svgstr: DRAWING });
