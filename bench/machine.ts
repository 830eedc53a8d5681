import os from 'node:os';

/** Where and when the figures were taken. */
export interface Machine {
  readonly date: string;
  readonly cores: number;
  readonly cpuModel: string;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
}

/** Describes this machine, now. */
export function describeMachine(): Machine {
  const cpus = os.cpus();
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    cores: os.availableParallelism(),
    cpuModel: cpus[0]?.model.trim() ?? 'unknown CPU',
    memoryBytes: os.totalmem(),
    kernel: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version,
  };
}

/** The same in one Markdown line. */
export function machineLine(machine: Machine): string {
  const gigabytes = Math.round(machine.memoryBytes / 2 ** 30);
  return `${machine.date} UTC, ${machine.cores} cores (${machine.cpuModel}), ${gigabytes} GB, ${machine.kernel}, Node ${machine.node}`;
}
