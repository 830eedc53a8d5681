import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** CPU time of a process tree since each of its processes began. */
export interface CpuTime {
  readonly userUs: number;
  readonly systemUs: number;
}

/** The fields of /proc/<pid>/stat that the bench needs; times in clock ticks. */
export interface ProcessStat {
  readonly pid: number;
  readonly parentPid: number;
  /** Own user time of all threads, plus that of children already waited for. */
  readonly userTicks: number;
  readonly systemTicks: number;
}

/** True where the kernel tells CPU and memory of other processes (Linux). */
export const procIsThere: boolean = existsSync('/proc/self/stat');

let ticksPerSecond = 0;

function microsecondsPerTick(): number {
  if (ticksPerSecond === 0) {
    try {
      ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' })) || 100;
    } catch {
      ticksPerSecond = 100; // every Linux port but a few old ones
    }
  }
  return 1_000_000 / ticksPerSecond;
}

/**
 * Reads one line of /proc/<pid>/stat (proc(5)): the command name may hold blanks and
 * brackets, so the fields are counted from the last ')'. Null when the line is not one.
 */
export function parseProcessStat(line: string): ProcessStat | null {
  const nameEnd = line.lastIndexOf(')');
  const pid = Number.parseInt(line, 10);
  if (nameEnd < 0 || !Number.isInteger(pid)) return null;
  const fields = line.slice(nameEnd + 2).split(' ').map(Number);
  // Counted from field 3, the state: parent is field 4, utime stime cutime cstime are 14 to 17.
  const [parentPid, utime, stime, cutime, cstime] = [fields[1], fields[11], fields[12], fields[13], fields[14]];
  if (parentPid === undefined || utime === undefined || stime === undefined) return null;
  if (cutime === undefined || cstime === undefined) return null;
  return { pid, parentPid, userTicks: utime + cutime, systemTicks: stime + cstime };
}

/** A process's file under /proc, or null when the process has gone meanwhile. */
function readProcFile(pid: number, name: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return null;
  }
}

/** The process and everything it started, directly or not, that is alive now. */
export function processTree(rootPid: number): ProcessStat[] {
  const all: ProcessStat[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const line = readProcFile(Number(name), 'stat');
    const stat = line === null ? null : parseProcessStat(line);
    if (stat !== null) all.push(stat);
  }
  return treeOf(all, rootPid);
}

/** Picks from a process list the root and its descendants. */
export function treeOf(all: readonly ProcessStat[], rootPid: number): ProcessStat[] {
  const inTree = new Set<number>([rootPid]);
  let grew = true;
  while (grew) {
    grew = false;
    for (const stat of all) {
      if (inTree.has(stat.pid) || !inTree.has(stat.parentPid)) continue;
      inTree.add(stat.pid);
      grew = true;
    }
  }
  return all.filter((stat) => inTree.has(stat.pid));
}

/**
 * CPU time of a process, its threads, its living descendants and its dead ones. Only a
 * difference of two calls means anything. A child that ends between them is not lost: its
 * time moves into its parent's waited-for times, which are counted too.
 */
export function cpuOfTree(rootPid: number): CpuTime {
  let userTicks = 0;
  let systemTicks = 0;
  for (const stat of processTree(rootPid)) {
    userTicks += stat.userTicks;
    systemTicks += stat.systemTicks;
  }
  const tickUs = microsecondsPerTick();
  return { userUs: userTicks * tickUs, systemUs: systemTicks * tickUs };
}

/**
 * CPU time in microseconds of the programs that this process has run to their end, such as pgbench. Only a difference of
 * two calls means anything. 0 where there is no /proc.
 */
export function cpuOfEndedChildrenUs(): number {
  const tickUs = microsecondsPerTick(); // first, for it may run a program itself
  const line = readProcFile(process.pid, 'stat');
  if (line === null) return 0;
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ').map(Number);
  // cutime and cstime, counted as above.
  return ((fields[13] ?? 0) + (fields[14] ?? 0)) * tickUs;
}

/** Finds `Name:   123 kB` in smaps_rollup or status; null when absent. */
export function parseKilobyteField(text: string, name: string): number | null {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text);
  return found === null ? null : Number(found[1]) * 1024;
}

/**
 * Memory of one process: its proportional set size (shared pages divided among their users),
 * or its resident size where smaps_rollup is missing or may not be read. 0 when it has gone.
 */
export function memoryOfProcess(pid: number): number {
  const rollup = readProcFile(pid, 'smaps_rollup');
  const pssBytes = rollup === null ? null : parseKilobyteField(rollup, 'Pss');
  if (pssBytes !== null) return pssBytes;
  const status = readProcFile(pid, 'status');
  return status === null ? 0 : (parseKilobyteField(status, 'VmRSS') ?? 0);
}

/** Memory of a process and its descendants, in bytes. */
export function memoryOfTree(rootPid: number): number {
  let bytes = 0;
  for (const stat of processTree(rootPid)) bytes += memoryOfProcess(stat.pid);
  return bytes;
}

/** Open descriptors of a process and its descendants; a process that may not be looked into counts 0. */
export function descriptorsOfTree(rootPid: number): number {
  let count = 0;
  for (const stat of processTree(rootPid)) {
    try {
      count += readdirSync(`/proc/${stat.pid}/fd`).length;
    } catch {
      // gone, or another user's
    }
  }
  return count;
}
