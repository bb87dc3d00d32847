// A file of more than 30 lines opens with a comment that says what it is and why.

const SHORT_LINES = 30;
const TEST = /[\\/]test[\\/]|\.test\.ts$/;

export const headerComment = {
  create(context) {
    return {
      Program(node) {
        const { text } = context.sourceCode;
        if (TEST.test(context.filename) || text.split('\n').length <= SHORT_LINES) return;
        const body = text.replace(/^\uFEFF?(#![^\n]*\n)?\s*/, '');
        if (body.startsWith('//') || body.startsWith('/*')) return;
        context.report({
          node,
          message: `a file of more than ${SHORT_LINES} lines opens with a comment: what it is, why it is so`,
        });
      },
    };
  },
};
