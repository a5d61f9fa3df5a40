import {Flags} from '@oclif/core'

/** For every command that prints a table. */
export const wholeFlag = {
  'no-trunc': Flags.boolean({summary: 'Do not fit the table to the terminal; show full digests.'}),
}

/** For commands whose result is one table. */
export const tableFlags = {
  ...wholeFlag,
  columns: Flags.string({
    summary: 'Show these columns in this order. Write a title in lower case, with - for a space.',
    helpValue: 'NAME,NAME',
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
    exclusive: ['json'],
  }),
  sort: Flags.string({
    summary: 'Sort by this column; -NAME sorts in descending order.',
    helpValue: 'NAME',
    exclusive: ['json'],
  }),
}
