/**
 * One login through libpam, by koffi. It waits for as long as the modules of the service take, so it must not be called
 * on a thread that serves clients: see pam-process.ts.
 */
import { createRequire } from 'node:module';

export interface PamQuestion {
  readonly service: string;
  readonly user: string;
  readonly password: string;
  /** PAM_RHOST; '' leaves it out. */
  readonly host: string;
}

export type PamResult =
  | { readonly ok: true }
  /** For the log only. */
  | { readonly ok: false; readonly reason: string };

/** Names of the library: Linux, macOS, FreeBSD. */
const libraries = process.platform === 'darwin' ? ['/usr/lib/libpam.2.dylib', '/usr/lib/libpam.dylib'] : ['libpam.so.0', 'libpam.so.6', 'libpam.so'];

/** <security/_pam_types.h>; the first two are the same in OpenPAM, the last two only in Linux-PAM. */
const success = 0;
const itemRemoteHost = 4;
const itemFailDelay = 10;
const disallowNullPassword = 0x1;
const isLinux = process.platform === 'linux';
const bufferError = isLinux ? 5 : 2;
const conversationError = isLinux ? 19 : 6;
const prompt = { echoOff: 1, errorMessage: 3, information: 4 };
/** PAM_MAX_NUM_MSG */
const maxMessages = 32;

/** Pointers are numbers of koffi's. */
type Pointer = bigint;

interface Library {
  readonly start: (service: string, user: string, conversation: object, handle: [Pointer | null]) => number;
  readonly setText: (handle: Pointer, item: number, value: string) => number;
  readonly setPointer: (handle: Pointer, item: number, value: Pointer) => number;
  readonly authenticate: (handle: Pointer, flags: number) => number;
  readonly accountManagement: (handle: Pointer, flags: number) => number;
  readonly end: (handle: Pointer, status: number) => number;
  readonly errorText: (handle: Pointer, status: number) => string;
  /** Struct pam_conv; its password is that of the login under way. */
  readonly conversation: object;
  readonly noDelay: Pointer;
  password: string;
}

let loaded: Library | null = null;

/** Does the whole login: authentication and, when that succeeds, whether the account may be used now. */
export function askPam({ service, user, password, host }: PamQuestion): PamResult {
  let library: Library;
  try {
    library = loaded ??= load();
  } catch (error) {
    return { ok: false, reason: `PAM cannot be used here: ${(error as Error).message}` };
  }
  const handle: [Pointer | null] = [null];
  const started = library.start(service, user, library.conversation, handle);
  const [pam] = handle;
  if (started !== success || pam === null) return { ok: false, reason: `pam_start failed for service "${service}" (${started})` };
  let status = success;
  const step = (call: () => number): void => {
    if (status === success) status = call();
  };
  let failed = '';
  try {
    library.password = password;
    if (host !== '') step(() => library.setText(pam, itemRemoteHost, host));
    // pgloom delays failed logins itself, and without keeping a process for each.
    if (isLinux) library.setPointer(pam, itemFailDelay, library.noDelay);
    step(() => library.authenticate(pam, disallowNullPassword));
    failed = 'pam_authenticate';
    if (status === success) {
      failed = 'pam_acct_mgmt';
      step(() => library.accountManagement(pam, disallowNullPassword));
    }
    return status === success ? { ok: true } : { ok: false, reason: `${failed} failed: ${library.errorText(pam, status)}` };
  } finally {
    library.password = '';
    library.end(pam, status);
  }
}

function load(): Library {
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  const pam = loadFirst(koffi);
  const libc = koffi.load(null);
  const calloc = libc.func('void *calloc(size_t count, size_t size)') as (count: number, size: number) => Pointer | null;
  const strdup = libc.func('void *strdup(const char *text)') as (text: string) => Pointer | null;
  const free = libc.func('void free(void *memory)') as (memory: Pointer) => void;
  const message = koffi.struct({ style: 'int', text: 'const char *' });
  const response = koffi.struct({ text: 'void *', code: 'int' });
  const pointerBytes = koffi.sizeof('void *');

  const converse = (count: number, messages: Pointer, answer: Pointer): number => {
    if (count <= 0 || count > maxMessages) return conversationError;
    // libpam and the modules free it: it must be of malloc's.
    const responses = calloc(count, koffi.sizeof(response));
    if (responses === null) return bufferError;
    const texts: Pointer[] = [];
    for (let i = 0; i < count; i++) {
      const { style } = koffi.decode(koffi.decode(messages, i * pointerBytes, 'void *') as Pointer, message) as { style: number };
      if (style === prompt.errorMessage || style === prompt.information) continue;
      // Whoever asks for something else than a password does not get one: it might be shown.
      const text = style === prompt.echoOff ? strdup(library.password) : null;
      if (text === null) {
        texts.forEach(free);
        free(responses);
        return style === prompt.echoOff ? bufferError : conversationError;
      }
      texts.push(text);
      koffi.encode(responses, i * koffi.sizeof(response), response, { text, code: 0 });
    }
    koffi.encode(answer, 'void *', responses);
    return success;
  };
  const conversationType = koffi.proto('int PamConversation(int count, void *messages, void *answer, void *data)');
  const delayType = koffi.proto('void PamNoDelay(int status, unsigned int delay, void *data)');
  const structure = koffi.struct('PamConv', { conv: koffi.pointer(conversationType), data: 'void *' });
  const handle = 'void *handle';
  const library: Library = {
    start: pam.func('pam_start', 'int', ['str', 'str', koffi.pointer(structure), koffi.out('void **')]) as Library['start'],
    setText: pam.func(`int pam_set_item(${handle}, int item, const char *value)`) as Library['setText'],
    setPointer: pam.func(`int pam_set_item(${handle}, int item, void *value)`) as Library['setPointer'],
    authenticate: pam.func(`int pam_authenticate(${handle}, int flags)`) as Library['authenticate'],
    accountManagement: pam.func(`int pam_acct_mgmt(${handle}, int flags)`) as Library['accountManagement'],
    end: pam.func(`int pam_end(${handle}, int status)`) as Library['end'],
    errorText: pam.func(`const char *pam_strerror(${handle}, int status)`) as Library['errorText'],
    // Registered for good: a process asks many times.
    conversation: { conv: koffi.register(converse, koffi.pointer(conversationType)), data: null },
    noDelay: koffi.register(() => undefined, koffi.pointer(delayType)) as unknown as Pointer,
    password: '',
  };
  return library;
}

function loadFirst(koffi: typeof import('koffi')): ReturnType<typeof koffi.load> {
  for (const name of libraries) {
    try {
      return koffi.load(name);
    } catch {
      // The next one.
    }
  }
  throw new Error(`${libraries[0] ?? ''} is not installed`);
}
