// What the replayed language model says. The caller reads Jane Austen, digits
// and playing cards to it; it takes that in good part.

export interface Reply {
  readonly text: string;
  /** What it says while it looks something up, when tools are on. */
  readonly filler: string;
}

export const REPLIES: readonly Reply[] = [
  {
    text: 'I have noted that down. Is there anything else you would like me to add?',
    filler: 'One moment, I am looking it up.',
  },
  {
    text: 'That is the first chapter. Shall I go on from there?',
    filler: 'Let me check that for you.',
  },
  {
    text: 'Understood. I found two entries. The second one fits better, I think.',
    filler: 'I will have a look at the catalogue.',
  },
  {
    text: 'Yes, I can do that. It takes about a minute, and I will tell you when it is ready.',
    filler: 'Just a second, please.',
  },
];
