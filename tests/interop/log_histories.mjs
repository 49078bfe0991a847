// What log_reader.mjs makes of histories (tests/ledger/histories), in the form of their `expected`.
//
//   node log_histories.mjs HISTORY...     one line of JSON for each file

import {readFileSync} from 'node:fs';
import {readLog} from './log_reader.mjs';

const LISTED_MAX = 64;

const listed = (positions) => positions.slice(0, LISTED_MAX);
function outcome(log) {
  const {head, replaced, vetoed} = log;
  if (!head) {
    return {status: log.refused ? 'refused' : 'not_found', n: 0,
            junk: [], replaced: [], vetoed: [], evidence: []};
  }
  const junk = listed([...log.junk].sort((one, other) => one - other));
  const {status, evidence} = log;
  return {status, n: head.entry.n, replaced, vetoed, evidence: listed(evidence), junk};
}

for (const file of process.argv.slice(2)) {
  console.log(JSON.stringify(outcome(readLog(JSON.parse(readFileSync(file, 'utf8'))))));
}
