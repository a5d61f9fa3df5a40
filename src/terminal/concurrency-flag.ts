import {Flags} from '@oclif/core'

/** How many items of a batch, a migration or a queue are converted at once. */
export const concurrencyFlag = Flags.integer({
  summary: 'Convert up to N items at once.',
  description: 'Default: one item per core, as far as free memory allows (256 MiB each).',
  helpValue: 'N',
  min: 1,
  max: 256,
})
