import type {FixtureSize} from './fixture.js'

const MEBIBYTE = 2 ** 20

export interface BenchFixture {
  readonly name: string
  readonly title: string
  readonly size: FixtureSize
  /** What every command stays below, MiB: the promise of the design. */
  readonly maxMebibytes: number
  /** Only with `--huge`: it takes many minutes. */
  readonly isHuge?: boolean
}

/** Images as they come, generated; the same bytes each time. */
export const FIXTURES: readonly BenchFixture[] = [
  {
    name: 'mix',
    title: '5 layers with streams, hard links and hives, 8,000 entries, 300 MiB',
    size: {files: 7600, bytes: 300 * MEBIBYTE, layers: 5, isMixed: true},
    maxMebibytes: 256,
  },
  {
    name: 'small',
    title: '40,000 files of 8 KiB in 5 layers',
    size: {files: 40_000, bytes: 40_000 * 8192, layers: 5, isEven: true},
    maxMebibytes: 256,
  },
  {
    name: 'large',
    title: '2 GiB in 40 files of 2 layers',
    size: {files: 40, bytes: 2048 * MEBIBYTE, layers: 2, isEven: true},
    maxMebibytes: 256,
  },
  {
    name: 'layers',
    title: '127 layers of 20 files',
    size: {files: 2540, bytes: 127 * MEBIBYTE, layers: 127},
    maxMebibytes: 256,
  },
  {
    name: 'million',
    title: '1,000,000 files of 100 bytes in 2 layers',
    size: {files: 1_000_000, bytes: 100_000_000, layers: 2, isEven: true},
    maxMebibytes: 512,
    isHuge: true,
  },
]

/** The same in small, to see that everything runs. */
export function shortened(fixture: BenchFixture): BenchFixture {
  const {files, bytes, layers} = fixture.size
  const by = fixture.isHuge === true ? 1000 : 40
  const size = {...fixture.size, files: Math.max(layers * 2, Math.floor(files / by)), bytes: Math.floor(bytes / by)}
  return {...fixture, title: `${fixture.title}, a ${by}th of it`, size}
}
