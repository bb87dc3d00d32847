// Limits of measures as lists tell them: those given, by flag or by default.

import type { BudgetItem } from '@framescope/protocol';
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
