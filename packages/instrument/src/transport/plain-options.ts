import { optionsOf } from '../coerce.ts';

/** Options as plain values: a getter that throws counts as none given. */
export function plainOptions<T extends object>(given: T | undefined): Partial<T> {
  try {
    return { ...optionsOf(given) };
  } catch {
    return {};
  }
}
