import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { DeploymentCard } from '../src/deploy/card';
import { DriftView } from '../src/deploy/drift';
import { ModelDeployments } from '../src/deploy/deployments';
import { deployment, FakeDeployment, FakeTransport } from './fixtures';

let source: FakeDeployment;
let card: DeploymentCard | null = null;

const settle = async (): Promise<void> => void (await vi.advanceTimersByTimeAsync(0));

function find<T extends Element = HTMLElement>(node: Element, selector: string): T {
  const found = node.querySelector<T>(selector);
  if (!found) {
    throw new Error(`nothing is ${selector}`);
  }
  return found;
}

function press(node: Element, text: string): void {
  const button = [...node.querySelectorAll('button')].find(one => one.textContent === text);
  if (!button) {
    throw new Error(`no button says ${text}`);
  }
  button.click();
}

async function open(onRemoved?: () => void): Promise<HTMLElement> {
  card = new DeploymentCard('heart', source, onRemoved, service => [new DriftView(service)]);
  document.body.replaceChildren(card.node);
  await settle();
  return card.node;
}

beforeEach(() => {
  vi.useFakeTimers();
  source = new FakeDeployment();
});
afterEach(() => {
  card?.dispose();
  card = null;
  document.body.replaceChildren();
  vi.useRealTimers();
});

describe('a deployment', () => {
  it('shows its state, its address, a line for a shell, and a sample row', async () => {
    const node = await open();
    expect(find(node, '.nba-state').textContent).toBe('Healthy');
    const texts = [...node.querySelectorAll('pre')].map(pre => pre.textContent);
    expect(texts).toContain('http://127.0.0.1:4567/score');
    expect(texts).toContain('curl http://127.0.0.1:4567/score');
    const sample = JSON.parse(find<HTMLTextAreaElement>(node, 'textarea').value) as unknown;
    expect(sample).toEqual([{ age: 60, ward: 'north' }]);
  });

  it('is asked often while it starts, seldom afterwards, never when it is off the page', async () => {
    source.details = deployment({ state: 'Transitioning', is_settled: false });
    const node = await open();
    expect(find(node, '.nba-state').textContent).toBe('Starting');
    await vi.advanceTimersByTimeAsync(2200);
    const often = source.asked.length;
    expect(often).toBeGreaterThanOrEqual(4);
    source.details = deployment();
    await vi.advanceTimersByTimeAsync(700);
    expect(find(node, '.nba-state').textContent).toBe('Healthy');
    const settled = source.asked.length;
    await vi.advanceTimersByTimeAsync(4000);
    expect(source.asked.length).toBe(settled);
    node.remove();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(source.asked.length).toBe(settled);
  });

  it('shows how far its rows are from the training data when asked', async () => {
    const node = await open();
    const drift = find(node, '.nba-drift');
    press(drift, 'Show drift');
    await settle();
    expect(find(drift, '[role=status]').textContent).toBe('Nothing was written down.');
    const column = { kind: 'number', verdict: 'strong', missing_then: 0, missing_now: 0.125, unseen: 0 };
    source.compared = {
      is_collecting: true,
      reason: '',
      report: {
        model: 'heart:1',
        n_rows: 500,
        n_requests: 1,
        columns: [{ ...column, name: '<b>age</b>', psi: 0.7 }],
        prediction: { ...column, name: 'prediction', psi: 0.01, verdict: 'stable' }
      }
    };
    const box = find<HTMLInputElement>(drift, 'input');
    box.checked = true;
    box.dispatchEvent(new Event('change'));
    await settle();
    expect(source.asked).toContain('collect true');
    expect(find(drift, '[role=status]').textContent).toBe('500 rows of 1 request to heart:1, against its training data.');
    const rows = [...drift.querySelectorAll('tbody tr')].map(row => [...row.children].map(cell => cell.textContent));
    expect(rows).toEqual([
      ['prediction', '0.010 ', 'stable', '0.0 %', '12.5 %', '0.0 %'],
      ['<b>age</b>', '0.700 ', 'strong', '0.0 %', '12.5 %', '0.0 %']
    ]);
    press(drift, 'Hide drift');
    expect(find(drift, 'div').hidden).toBe(true);
  });

  it('says what went wrong', async () => {
    source.details = deployment({ state: 'Failed', error: 'No module named x' });
    const node = await open();
    expect(find(node, '[role=alert]').textContent).toBe('No module named x');
    expect(find<HTMLButtonElement>(node, '.nba-try button').disabled).toBe(true);
  });

  it('takes a row that was written, keeps it, and shows the reply', async () => {
    const node = await open();
    const input = find<HTMLTextAreaElement>(node, 'textarea');
    input.value = '[{"age": 7}]';
    await vi.advanceTimersByTimeAsync(6000);
    expect(input.value).toBe('[{"age": 7}]');
    find<HTMLInputElement>(node, '.nba-try input[type=checkbox]').checked = true;
    find<HTMLFormElement>(node, '.nba-try').dispatchEvent(new Event('submit'));
    await settle();
    expect(source.sent).toEqual([[[{ age: 7 }], 'probabilities']]);
    expect(find(node, '.nba-try [role=status]').textContent).toBe('Answered in 12 ms.');
    expect(find(node, '.nba-try pre').textContent).toContain('"yes"');
  });

  it('shows a refusal as an answer, and text that is not JSON before it is sent', async () => {
    const node = await open();
    source.answer = { status: 422, reply: { detail: "row 0, column 'age': <b>" }, seconds: 0.001 };
    find<HTMLFormElement>(node, '.nba-try').dispatchEvent(new Event('submit'));
    await settle();
    expect(find(node, '.nba-try [role=status]').textContent).toContain('Refused (422)');
    expect(node.querySelector('.nba-try b')).toBeNull();
    find<HTMLTextAreaElement>(node, 'textarea').value = '[{';
    find<HTMLFormElement>(node, '.nba-try').dispatchEvent(new Event('submit'));
    await settle();
    expect(find(node, '.nba-try [role=status]').textContent).toContain('That is not JSON');
    expect(source.sent).toHaveLength(1);
  });

  it('hides its keys until they are asked for, and replaces one', async () => {
    const node = await open();
    expect(node.textContent).not.toContain('first-key');
    press(node, 'Show keys');
    await settle();
    expect(node.textContent).toContain('first-key');
    find<HTMLButtonElement>(node, '[aria-label="Replace the primary key"]').click();
    await settle();
    expect(node.textContent).toContain('new-key');
    press(node, 'Hide keys');
    expect(node.textContent).not.toContain('new-key');
  });

  it('shows its log when asked', async () => {
    const node = await open();
    expect(source.asked).not.toContain('log');
    press(node, 'Show log');
    await settle();
    expect(find(node, '.nba-deploylog').textContent).toBe('worker 1 serves');
  });

  it('is restarted, and deleted only with a second click', async () => {
    const removed = vi.fn();
    const node = await open(removed);
    press(node, 'Restart');
    await settle();
    expect(find(node, '.nba-state').textContent).toBe('Starting');
    press(node, 'Delete');
    await settle();
    expect(source.isRemoved).toBe(false);
    press(node, 'Delete for good?');
    await settle();
    expect(source.isRemoved).toBe(true);
    expect(removed).toHaveBeenCalledOnce();
    expect(node.isConnected).toBe(false);
  });

  it('stays where deleting it failed', async () => {
    const node = await open();
    press(node, 'Delete');
    source.refusal = new Error('It runs elsewhere.');
    press(node, 'Delete for good?');
    await settle();
    expect(node.isConnected).toBe(true);
    expect(find(node, '[role=alert]').textContent).toBe('It runs elsewhere.');
  });
});

describe('deploying a model of a run', () => {
  it('asks for a name and shows the deployment in its place', async () => {
    const transport = new FakeTransport();
    const deployments = new ModelDeployments(3, 'heart', transport);
    document.body.replaceChildren(deployments.open, deployments.node);
    await settle();
    deployments.open.click();
    const input = find<HTMLInputElement>(deployments.node, 'input');
    expect(document.activeElement).toBe(input);
    expect(input.value).toBe('heart');
    input.value = ' mine ';
    find<HTMLFormElement>(deployments.node, 'form').dispatchEvent(new Event('submit'));
    await settle();
    expect(transport.asked).toEqual(['deploy 3 mine', 'deployment mine']);
    expect(find(deployments.node, 'article').getAttribute('aria-label')).toBe('Deployment mine');
    expect(find<HTMLElement>(deployments.node, 'form').hidden).toBe(true);
  });

  it('says where it was asked why it could not be done', async () => {
    const transport = new FakeTransport();
    transport.refusal = new Error('A deployment called heart is there already.');
    const deployments = new ModelDeployments(3, 'heart', transport);
    document.body.replaceChildren(deployments.open, deployments.node);
    deployments.open.click();
    find<HTMLFormElement>(deployments.node, 'form').dispatchEvent(new Event('submit'));
    await settle();
    expect(find(deployments.node, '.nba-deployments > [role=status]').textContent).toContain('is there already');
    expect(find<HTMLElement>(deployments.node, 'form').hidden).toBe(false);
    find(deployments.node, 'input').dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
    expect(find<HTMLElement>(deployments.node, 'form').hidden).toBe(true);
  });

  it('shows what serves the model already', async () => {
    const transport = new FakeTransport();
    transport.deployments = [deployment({ name: 'a' }), deployment({ name: 'b' })];
    const deployments = new ModelDeployments(3, 'heart', transport);
    document.body.replaceChildren(deployments.node);
    await settle();
    expect(deployments.node.querySelectorAll('article')).toHaveLength(2);
  });
});
