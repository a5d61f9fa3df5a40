import fc from 'fast-check'
import {TransshipError} from '../../../src/model/errors.js'
import {oddTar} from '../../helpers/odd-tars.js'
import {longMember, paxMember, RAW_END, rawMember, SPARSE_FORMS, sparseMember} from '../../helpers/raw-tar.js'
import {layerOf} from '../../helpers/refusals.js'
import {VECTORS, vectorTar} from '../../helpers/vectors.js'
import {mutateBytes, type MutateOptions} from './mutate-bytes.js'
import type {Random} from './random.js'

/** The same examples in every process. */
export function examples<T>(arbitrary: fc.Arbitrary<T>, count = 40): T[] {
  return fc.sample(arbitrary, {numRuns: count, seed: 20_261_126})
}

/** The error that it throws on purpose; any other passes. */
export async function refusalOf(work: () => unknown): Promise<TransshipError | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    if (error instanceof TransshipError && error.exitCode !== 70) return error
    throw error
  }
}

export function fromCorpus(corpus: readonly Buffer[], options: Omit<MutateOptions, 'corpus'> = {}) {
  return (random: Random): Buffer => mutateBytes(random, random.pick(corpus), {...options, corpus})
}

/** Layer tars of Microsoft's own code, and of every dialect. */
export async function layerCorpus(): Promise<Buffer[]> {
  const hand = [
    await layerOf([
      ['Files/', ''],
      ['Files/a.txt', 'text'],
      ['Files/b', {hardLink: 'Files/a.txt'}],
      ['Files/c', {symlink: 'C:\\Windows'}],
      ['Files/d/', ''],
      ['Files/d/.wh.e', ''],
    ]),
    Buffer.concat([
      rawMember({name: 'Files', type: '5'}),
      ...SPARSE_FORMS.map((form, at) =>
        sparseMember(form, {name: `Files/s${at}`, size: 70_000, ranges: [[512, Buffer.from('abc')]]}),
      ),
      longMember('L', `Files/${'long/'.repeat(30)}x`),
      rawMember({name: 'x', format: 'gnu'}, 'body'),
      paxMember([['comment', 'all']], 'g'),
      paxMember([
        ['path', 'Files/ü'],
        ['mtime', '1.5'],
        ['MSWINDOWS.fileattr', '32'],
      ]),
      rawMember({name: 'y'}, 'body'),
      RAW_END,
    ]),
  ]
  const small = VECTORS.map(vectorTar).filter((tar) => tar.byteLength < 200_000)
  return [...hand, ...small, ...examples(oddTar, 30).filter((tar) => tar.byteLength < 100_000)]
}

export const randomAccess = (bytes: Buffer) => ({
  size: bytes.byteLength,
  read: (offset: number, length: number) => Promise.resolve(bytes.subarray(offset, offset + length)),
})
