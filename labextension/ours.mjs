/**
 * Members of the view's own parts, which the widget's bundle shortens.
 *
 * None of them is a name of the page's, or of what a kernel sends: a test reads the types of that.
 */
export const OURS = [
  ...['node', 'update', 'dispose', 'tick', 'setOpen', 'setText', 'setLabel', 'setShown', 'setConnection', 'setConnected'],
  ...['isOpen', 'isBest', 'isSelected', 'isOther', 'isNumber', 'isDescending', 'hasText', 'runId', 'panel', 'chosen'],
  ...['onFull', 'onFrame', 'onError', 'onConnection', 'lastSeq', 'askAgain', 'finishNow', 'addMinutes'],
  ...['bestPath', 'xTicks', 'yTicks']
];
