// axe-core on a page: violations as lines that say what, where and why.

import axe from 'axe-core';
import type { Page } from 'playwright-core';

interface Found {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly {
    readonly target: readonly string[];
    readonly failureSummary: string;
  }[];
}

/** Best practices too, not only the letter of WCAG. */
export async function violations(page: Page): Promise<string[]> {
  // The page's policy runs no injected script: the debugger may.
  const cdp = await page.context().newCDPSession(page);
  const run = async (expression: string): Promise<unknown> => {
    const answer = await cdp.send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (answer.exceptionDetails) throw new Error(JSON.stringify(answer.exceptionDetails));
    return answer.result.value;
  };
  await run(axe.source);
  const found = (await run('axe.run(document).then(result => result.violations)')) as Found[];
  await cdp.detach();
  return found.flatMap(one =>
    one.nodes.map(node => `${one.id}: ${node.target.join(' ')} — ${node.failureSummary}`),
  );
}
