// What people set in the collector rather than measure: calls that are kept,
// limits of measures. Continues query-api.ts.

// POST /api/v1/sessions/{key}/pin, body PinInput -> Pin;  DELETE …/pin -> 204;  GET /api/v1/pins -> { items: Pin[] }, newest first

/** A call that is kept, whatever retention and the size cap say. */
export interface Pin {
  readonly sessionKey: string;
  /** `session.id`. */
  readonly sessionId: string;
  readonly atUnixNs: string;
  /** Why; may be empty. */
  readonly note: string;
  /** False: retention had taken frames or spans of it before it was pinned. */
  readonly isWhole: boolean;
}

export interface PinInput {
  readonly note?: string;
}

// GET /api/v1/budgets -> BudgetList, with an ETag;  PUT /api/v1/budgets, body BudgetInput, If-Match -> BudgetList

export interface BudgetList {
  /** Rises with each change; the ETag in quotes. */
  readonly revision: number;
  /** The last change in the page or by the API; null: none yet. */
  readonly changedUnixNs: string | null;
  /** By name of measure. */
  readonly items: readonly BudgetItem[];
}

export interface BudgetItem {
  /** A measure, or a family (`voice_to_voice`, `part.inference`, `frame`). */
  readonly measure: string;
  /** null: switched off in the page. */
  readonly limitNs: number | null;
  /** Where it comes from: the collector's own, `--budgets FILE`, or set in the page. */
  readonly source: 'default' | 'file' | 'page';
  /** What would apply without the page's; null: nothing. */
  readonly otherwiseNs: number | null;
}

/** All that the page sets, as a whole: what is not in it applies as file or default say. */
export interface BudgetInput {
  readonly items: readonly { readonly measure: string; readonly limitNs: number | null }[];
}
