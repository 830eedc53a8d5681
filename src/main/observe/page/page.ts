/**
 * The status page: one document without anything from elsewhere. Its script and its style are named by their hashes in the
 * content security policy, so nothing else can run, whatever an application or a database calls itself; and every text
 * that comes from outside is put in as text, never as markup.
 */
import { createHash } from 'node:crypto';
import { body } from './body.js';
import { scriptBasics } from './script-basics.js';
import { scriptLists } from './script-lists.js';
import { scriptMain } from './script-main.js';
import { scriptNodes } from './script-nodes.js';
import { scriptOrders } from './script-orders.js';
import { style } from './style.js';

const script = `(function () {\n'use strict';\n${[scriptBasics, scriptOrders, scriptNodes, scriptLists, scriptMain].join('\n')}\n})();`;

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}'`;
}

export const contentSecurityPolicy = [
  "default-src 'none'", `script-src ${hashOf(script)}`, `style-src ${hashOf(style)}`, "connect-src 'self'", 'img-src data:', "base-uri 'none'",
  "form-action 'none'", "frame-ancestors 'none'",
].join('; ');

const icon = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M2 4h12M2 8h12M2 12h12' stroke='%230b7285' stroke-width='1.6'/%3E%3Cpath d='M5 2v12M11 2v12' stroke='%2394a3b3' stroke-width='1.6'/%3E%3C/svg%3E";

export const pageHtml = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>pgloom</title>
<link rel="icon" href="${icon}">
<style>${style}</style>
</head>
<body>
${body}
<script>${script}</script>
</body>
</html>
`;
