/** Debian's Chromium, driven by playwright-core, for tests of the status page. */
import { existsSync } from 'node:fs';

/** As much of playwright-core's interface as the tests use. */
export interface Page {
  goto(url: string): Promise<unknown>;
  evaluate<T>(expression: string): Promise<T>;
  screenshot(options: { readonly path: string; readonly fullPage?: boolean }): Promise<unknown>;
  click(selector: string): Promise<void>;
  fill(selector: string, text: string): Promise<void>;
  selectOption(selector: string, value: string): Promise<unknown>;
  textContent(selector: string): Promise<string | null>;
  on(event: 'console', listener: (message: { type(): string; text(): string }) => void): void;
  on(event: 'pageerror', listener: (error: Error) => void): void;
  close(): Promise<void>;
}

interface Browser {
  newPage(options: { readonly viewport: { readonly width: number; readonly height: number }; readonly colorScheme: 'light' | 'dark' }): Promise<Page>;
  close(): Promise<void>;
}

interface Playwright {
  readonly chromium: { launch(options: { readonly executablePath: string; readonly args: readonly string[] }): Promise<Browser> };
}

const programs = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const program = programs.find((path) => existsSync(path));
const playwright = await import('playwright-core' as string).then((module: unknown) => module as Playwright, () => null);

/** Why there is no browser, for `skip`; false when there is one. */
export const browserMissing: string | false = playwright === null ? 'playwright-core is not installed' : program === undefined ? 'chromium is not installed' : false;

export interface LookOptions {
  readonly width: number;
  readonly theme: 'light' | 'dark';
}

/** Runs `use` on a page of a new browser; fails when the page complained about anything. */
export async function withPage(url: string, { width, theme }: LookOptions, use: (page: Page) => Promise<void>): Promise<void> {
  // Chromium's sandbox does not work as root, nor in many containers; the page is our own.
  const browser = await playwright!.chromium.launch({ executablePath: program!, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
  try {
    const page = await browser.newPage({ viewport: { width, height: width > 600 ? 900 : 860 }, colorScheme: theme });
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(url);
    await use(page);
    if (complaints.length > 0) throw new Error(`the page complained: ${complaints.join('\n')}`);
  } finally {
    await browser.close();
  }
}
