import {Flags} from '@oclif/core'

/** For every command that prints a table. */
export const wholeFlag = {
  'no-trunc': Flags.boolean({summary: 'Cut nothing to the width of the terminal; digests in full.'}),
}

/** For commands whose result is one table. */
export const tableFlags = {
  ...wholeFlag,
  columns: Flags.string({
    summary: 'Show these columns, in this order; a name is a title in lower case, with - for a blank.',
    helpValue: 'NAME,NAME',
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
    exclusive: ['json'],
  }),
  sort: Flags.string({
    summary: 'Order the rows by this column; -NAME from the highest.',
    helpValue: 'NAME',
    exclusive: ['json'],
  }),
}
