const rounded = (value: number): number => Math.round(value * 100) / 100;

/** A speed in knots, kilometres per hour and metres per second. */
export function convert(knots: number): { knots: number; km_h: number; m_s: number } {
  return { knots: rounded(knots), km_h: rounded(knots * 1.852), m_s: rounded((knots * 1.852) / 3.6) };
}
