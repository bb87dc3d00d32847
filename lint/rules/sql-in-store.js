// SQL is written in collector/src/store only, so that another store can take its place.

import { sourcePlace } from '../place.js';

/** How a statement begins. Upper case: prose that opens with "Select" is not SQL. */
const STATEMENT =
  /^\s*(SELECT\s|INSERT (INTO|OR)\s|UPDATE \w+ SET\s|DELETE FROM\s|CREATE (TEMP |UNIQUE )?(TABLE|INDEX|VIEW|TRIGGER)\s|ALTER TABLE\s|DROP (TABLE|INDEX|VIEW)\s|PRAGMA\s|ATTACH\s|WITH \w+ AS\s)/;

export const sqlInStore = {
  create(context) {
    const place = sourcePlace(context.filename);
    if (!place || (place.package === 'collector' && place.path.startsWith('store/'))) return {};
    const check = (node, text) => {
      if (typeof text === 'string' && STATEMENT.test(text))
        context.report({
          node,
          message: 'SQL lives in collector/src/store; add a method to Store',
        });
    };
    return {
      Literal: node => check(node, node.value),
      TemplateLiteral: node => check(node, node.quasis[0]?.value.cooked),
    };
  },
};
