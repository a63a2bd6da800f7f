import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';

import { automlIcon } from './icon';

/** What can stand in the main area. */
export interface View {
  readonly node: HTMLElement;
  dispose(): void;
}

type Arguments = Readonly<Record<string, string>>;

/** A view in the main area, and what its command opened it with. */
class ViewWidget extends Widget {
  constructor(
    private readonly view: View,
    readonly opened: Arguments
  ) {
    super();
    this.addClass('nbautoml-main');
    this.node.append(view.node);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.view.dispose();
    }
    super.dispose();
  }
}

/** Put a view into the main area; into the right sidebar where that has room for the notebook only, as in Notebook 7. */
export function place(shell: JupyterFrontEnd.IShell, widget: Widget): void {
  shell.add(widget, 'main');
  if (!widget.parent) {
    shell.add(widget, 'right');
  }
}

/** The views that one command opens: each once, and again after a reload of the page. */
export class MainArea {
  readonly #tracker: WidgetTracker<MainAreaWidget<ViewWidget>>;

  constructor(
    private readonly app: JupyterFrontEnd,
    namespace: string
  ) {
    this.#tracker = new WidgetTracker({ namespace });
  }

  /** Bring back what was open; call it when the command is there. */
  restoreBy(command: string, restorer: ILayoutRestorer | null): void {
    void restorer?.restore(this.#tracker, {
      command,
      args: widget => ({ ...widget.content.opened }),
      name: widget => widget.id
    });
  }

  /** Take away what has this id. */
  close(id: string): void {
    this.#tracker.find(widget => widget.id === id)?.dispose();
  }

  /** Show what has this id, and make it where it is not there. */
  async show(id: string, title: string, opened: Arguments, make: () => View | Promise<View>): Promise<void> {
    const known = this.#tracker.find(widget => widget.id === id);
    if (!known) {
      const widget = new MainAreaWidget({ content: new ViewWidget(await make(), opened) });
      widget.id = id;
      widget.title.label = title.length > 24 ? `${title.slice(0, 23)}…` : title;
      widget.title.caption = title;
      widget.title.icon = automlIcon;
      widget.title.closable = true;
      place(this.app.shell, widget);
      await this.#tracker.add(widget);
    }
    this.app.shell.activateById(id);
  }
}
