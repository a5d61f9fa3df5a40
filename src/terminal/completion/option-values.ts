import {behind, matching, type Candidate} from './candidate.js'
import {completePath} from './complete-path.js'
import {completeReference} from './complete-reference.js'

/** Values that the manifest does not list, since more than these are allowed. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  layers: ['chain', 'squash'],
  compression: ['gzip', 'none', 'zstd'],
  'os-layers': ['auto'],
  'os-name': ['NanoServer', 'WindowsBase', 'WindowsServer', 'WindowsServerCore'],
  platform: ['linux/amd64', 'linux/arm64', 'windows/amd64', 'windows/arm64'],
  publisher: ['CN='],
  parent: ['layout:'],
  queue: ['redis://', 'rediss://'],
}

/** Columns of the tables that can be chosen from. A test holds them against the commands. */
export const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  list: ['kind', 'name', 'image-id', 'platform', 'version', 'layers', 'size', 'created', 'reference', 'digest'],
  files: ['mode', 'size', 'last-write', 'layer', 'path', 'security'],
  'containers list': [
    'id',
    'name',
    'manager',
    'namespace',
    'image',
    'state',
    'os',
    'isolation',
    'pid',
    'memory',
    'cpu-time',
    'started',
  ],
}

const FILES = /^FILE|^PLAN/
const FOLDERS = /^(?:DIR|FOLDER)/

/** A flag as the manifest describes it. */
export interface ValueFlag {
  readonly options?: readonly string[] | undefined
  readonly helpValue?: string | readonly string[] | undefined
}

/** Values of a flag that begin as typed. */
export async function completeValue(
  name: string,
  typed: string,
  flag: ValueFlag & {readonly command: string},
): Promise<readonly Candidate[]> {
  const {options, helpValue = '', command} = flag
  if (options !== undefined) return matching(options, typed)
  if (name === 'columns' || name === 'sort') return completeColumns(name, typed, COLUMNS[command] ?? [])
  const place = String(helpValue)
  if (place === 'REF') return completeReference(typed)
  if (typed.startsWith('layout:')) return completeReference(typed)
  if (FILES.test(place)) return completePath(typed)
  if (FOLDERS.test(place)) return completePath(typed, {isFolder: true})
  return matching(VALUES[name] ?? [], typed).map((value) => ({...value, isWhole: !/[:=/]$/.test(value.text)}))
}

/** `--columns` takes several with commas between them, and `--sort` one, descending behind a `-`. */
function completeColumns(name: 'columns' | 'sort', typed: string, columns: readonly string[]): readonly Candidate[] {
  const [, front = '', last = ''] = (name === 'sort' ? /^(-?)(.*)$/s : /^(.*,)?([^,]*)$/s).exec(typed) ?? []
  const used = front.split(',')
  return behind(
    front,
    matching(
      columns.filter((column) => !used.includes(column)),
      last,
    ),
  )
}
