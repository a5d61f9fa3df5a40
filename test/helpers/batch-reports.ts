import {createHash} from 'node:crypto'
import {totalsOf, type ArtifactFacts, type BatchReport, type ItemReport} from '../../src/batch/batch-report.js'
import type {ConvertReport, ReportArtifact} from '../../src/convert/report.js'
import {parseDigest, type Digest} from '../../src/model/digest.js'

export function digestOfText(text: string): Digest {
  return parseDigest(`sha256:${createHash('sha256').update(text).digest('hex')}`)
}

/** Numbers below 1 that are the same in every run. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

const BASES = [
  {id: 'CN=Microsoft_WindowsServerCore_10.0.14393.206', version: '10.0.14393.206', size: 4_310_000_000},
  {id: 'CN=Microsoft_NanoServer_10.0.14393.206', version: '10.0.14393.206', size: 341_000_000},
  {id: 'CN=Microsoft_WindowsServerCore_10.0.17763.5329', version: '10.0.17763.5329', size: 2_050_000_000},
]
const TEAMS = ['contoso', 'fabrikam', 'northwind', 'adventure-works', 'wingtip', 'tailspin']
const APPS = [
  'shop',
  'billing',
  'ledger',
  'web.frontend',
  'print-spooler',
  'report-server',
  '販売管理',
  'müllabfuhr-ämter',
]
const LONG = 'a-name-that-goes-on-and-on-because-someone-put-the-whole-branch-name-into-the-tag-feature-1234567890'
const DAMAGED = {
  code: 'DIGEST_MISMATCH' as const,
  exitCode: 3,
  what: 'Layer 2 is damaged.',
  why: `Expected 48123 bytes of ${digestOfText('a')}, found 48123 bytes of ${digestOfText('b')}.`,
  suggestions: ['Save the image again, then retry.'],
}
const NO_SPACE = {
  code: 'NO_SPACE' as const,
  exitCode: 4,
  what: 'The disk is full.',
  why: 'The operating system reported ENOSPC.',
  suggestions: ['Free some space, or choose another destination.'],
}

interface Made {
  readonly facts: ArtifactFacts
  readonly result: ConvertReport
}

function madeItem(index: number, next: () => number): Made & {id: string} {
  const team = TEAMS[index % TEAMS.length] ?? ''
  const app = APPS[Math.floor(next() * APPS.length)] ?? ''
  const base = BASES[Math.floor(next() * next() * BASES.length)] ?? BASES[0]!
  const tag = index % 97 === 5 ? LONG : `${1 + (index % 4)}.${index % 10}.${index}`
  const name = `${team}/${app}-${index}:${tag}`
  const identity = `CN=${team}_${app}-${index}_1.${index % 10}.${index}.0`
  const source = `docker-archive:archives/${team}/${app}-${index}.tar:${name}`
  const size = Math.floor(2_000_000 + next() * next() * next() * 900_000_000)
  const layer = (text: string, bytes: number) => ({
    digest: digestOfText(text),
    diffId: digestOfText(`diff ${text}`),
    mediaType: 'application/vnd.transship.transport-layout.v1',
    size: bytes,
    entries: Math.ceil(bytes / 61_000),
  })
  const osPackage: ReportArtifact = {
    kind: 'package',
    reference: `inbox:repository:${base.id}`,
    identity: base.id,
    dependencies: [],
    ...(index > 5 ? {unchanged: true} : {}),
    layers: [layer(base.id, base.size)],
  }
  const application: ReportArtifact = {
    kind: 'package',
    reference: `inbox:repository:${identity}`,
    identity,
    dependencies: index % 7 === 0 ? [base.id, 'CN=Contoso_WebServer_1.0.0.0'] : [base.id],
    layers: [layer(identity, size)],
  }
  const isLossy = index % 61 === 9
  const inexact =
    index % 3 === 0 ? [{code: 'squashed', message: '3 layers were squashed into one.', subject: identity}] : []
  const losses = [
    {code: 'healthcheck', message: 'A package has no health check.', subject: identity},
    {code: 'extended-attributes', message: 'Kept nowhere.', subject: 'Files/Program Files/Shop/ünïcode/データ.bin'},
  ]
  return {
    id: `${team}/${app}-${index}`,
    facts: {
      kind: 'image',
      reference: source,
      names: [name],
      imageId: digestOfText(name),
      manifestDigest: digestOfText(`manifest ${name}`),
      platform: `windows/amd64 ${base.version}`,
      layers: 2 + (index % 9),
      sizeBytes: base.size + size,
    },
    result: {
      source,
      destination: 'inbox:repository',
      artifacts: [osPackage, application],
      losses: isLossy ? losses : [],
      notes: index % 41 === 3 ? [{code: 'unknown-pax-record', message: 'Kept as it is.', subject: 'layer 1'}] : [],
      inexact,
      exact: inexact.length === 0 && !isLossy,
      bytesRead: size + 40_000,
      bytesWritten: size,
      seconds: size / 90_000_000,
    },
  }
}

/** A plausible run of so many items, the same each time: failures, losses, blocked items, long names, Unicode. */
export function largeReport(count: number): BatchReport {
  const next = numbers(7)
  const items: ItemReport[] = []
  for (let index = 0; index < count; index++) {
    const {id, facts, result} = madeItem(index, next)
    const common = {id, source: facts.reference, destination: 'inbox:repository', before: [facts]}
    const failed = items.find(({state}) => state === 'failed')
    if (index % 53 === 11) {
      items.push({
        ...common,
        state: 'failed',
        after: [],
        failure: index % 2 ? DAMAGED : NO_SPACE,
        attempts: 3,
        seconds: 12.5,
      })
    } else if (index % 71 === 20 && failed !== undefined) {
      items.push({...common, state: 'blocked', after: [failed.id], attempts: 0, seconds: 0})
    } else if (index >= count - 4) {
      items.push({...common, state: 'not-started', after: [], attempts: 0, seconds: 0})
    } else if (index % 10 === 4) {
      items.push({...common, state: 'already-done', after: [], result, attempts: 0, seconds: 0})
    } else {
      items.push({...common, state: 'converted', after: [], result, attempts: 1, seconds: result.seconds})
    }
  }
  return {
    title: 'plans/all-of-contoso.yaml',
    startedTime: '2026-11-20T09:15:02.120Z',
    seconds: 1834.2,
    totals: totalsOf(items),
    items,
  }
}

export const HOSTILE_NAMES = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  'photo\u202egpj.exe',
  '</title><svg onload=alert(1)>',
  '</style></script><!--',
  '=HYPERLINK("http://example.invalid","x")',
  '+1+1',
  '-2+3',
  '@SUM(A1)',
  '\t=1',
  '\r=1',
  '\uff1d1+1',
  'a,b;"c"\nd',
  '<%= it %> {{ x }} ${y}',
  '&lt;&amp;',
  '\u0000\u0007\u001b[31m',
  '__proto__',
]

/** A report in which everything that comes from outside has the name. */
export function hostileReport(name: string): BatchReport {
  const finding = {code: name, message: name, subject: name}
  const facts: ArtifactFacts = {
    kind: 'package',
    reference: name,
    names: [name],
    identity: name,
    dependencies: [name, `${name}2`],
  }
  const layer = {digest: digestOfText('x'), diffId: digestOfText('y'), mediaType: name, size: 10, entries: 1}
  const common = {
    id: name,
    source: name,
    destination: name,
    before: [{...facts, platform: name}],
    attempts: 1,
    seconds: 1,
  }
  const result: ConvertReport = {
    source: name,
    destination: name,
    artifacts: [
      {kind: 'package', reference: name, identity: name, dependencies: [name], layers: [layer]},
      {kind: 'image', reference: name, imageId: digestOfText('z'), layers: [layer]},
    ],
    losses: [finding],
    notes: [finding],
    inexact: [finding],
    exact: false,
    bytesRead: 1,
    bytesWritten: 1,
    seconds: 1,
  }
  const items: ItemReport[] = [
    {...common, state: 'converted', after: [], result},
    {
      ...common,
      id: `${name} `,
      state: 'failed',
      after: [name],
      failure: {code: 'INTERNAL', exitCode: 70, what: name, why: name, suggestions: [name]},
    },
  ]
  return {title: name, startedTime: '2026-11-20T09:15:02.120Z', seconds: 2, totals: totalsOf(items), items}
}
