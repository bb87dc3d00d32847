// Limits of measures as lists tell them: those given, by flag or by default.

import type { BudgetItem, BudgetList } from '@framescope/protocol';
import type { BudgetsGiven } from './store.ts';

/** By name of measure. */
export const itemsOf = ({ limits, inFile }: BudgetsGiven): BudgetItem[] =>
  Object.entries(limits)
    .map(([measure, limitNs]): BudgetItem => ({
      measure,
      limitNs,
      source: inFile.includes(measure) ? 'file' : 'default',
      otherwiseNs: limitNs,
    }))
    .toSorted((a, b) => (a.measure < b.measure ? -1 : 1));

/** The limits that apply, by measure, ns. */
export const limitsOf = ({ items }: Pick<BudgetList, 'items'>): Record<string, number> =>
  Object.fromEntries(
    items.flatMap(({ measure, limitNs }) => (limitNs === null ? [] : [[measure, limitNs]])),
  );
