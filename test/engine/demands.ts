/** What crashing-task.ts may be asked to do. */
export const demand = { end: -1, stay: -2, reject: -3, crash: -4, exit: -5, crashUntaken: -6 } as const;
