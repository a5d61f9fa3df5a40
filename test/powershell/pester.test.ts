import assert from 'node:assert/strict'
import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdir, mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {PWSH, requirePowerShell} from '../helpers/powershell.js'
import {MANAGERS, startContainerHost, STUBBORN, type ContainerHost} from '../helpers/container-host.js'
import {PROJECT} from '../helpers/snapshot.js'
import {CannotRunHere, testsAtOnce} from '../helpers/tests-at-once.js'
import {findTool, requireTool, runTool, skipLoudly} from '../helpers/tools.js'

const TESTS = path.join(PROJECT, 'test', 'powershell')
const SUITES = path.join(TESTS, 'pester')
/** Every suite starts the command line many times, on machines that have other work. */
const SUITE_TIMEOUT_MS = 900_000

interface SuiteResult {
  readonly passed: number
  readonly skipped: number
  readonly failures: readonly string[]
  readonly total: number
}

/** Runs one suite in a PowerShell of its own. */
async function runSuite(name: string, environment: Readonly<Record<string, string>> = {}): Promise<SuiteResult> {
  const script = `
    $configuration = New-PesterConfiguration
    $configuration.Run.Path = '${path.join(SUITES, `${name}.Tests.ps1`)}'
    $configuration.Run.PassThru = $true
    $configuration.Output.Verbosity = 'None'
    $result = Invoke-Pester -Configuration $configuration
    $failures = @($result.Failed + $result.FailedBlocks + $result.FailedContainers | ForEach-Object { "$($_.ExpandedPath): $($_.ErrorRecord)" })
    'RESULT' + (@{ passed = $result.PassedCount; skipped = $result.SkippedCount; total = $result.TotalCount; failures = $failures } | ConvertTo-Json -Compress)`
  const {NODE_ENV: _, SOURCE_DATE_EPOCH: __, ...inherited} = process.env
  const child = spawn(PWSH, ['-NoProfile', '-NonInteractive', '-Command', script], {
    env: {...inherited, NO_COLOR: '1', POWERSHELL_TELEMETRY_OPTOUT: '1', ...environment},
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  await once(child, 'close')
  const [, json] = /^RESULT(\{.*\})\s*$/m.exec(output) ?? []
  assert.ok(json !== undefined, `the suite ${name} did not end: ${output}`)
  return JSON.parse(json) as SuiteResult
}

async function assertSuite(name: string, environment: Readonly<Record<string, string>> = {}): Promise<SuiteResult> {
  const result = await runSuite(name, environment)
  assert.deepEqual(result.failures, [])
  assert.ok(result.passed > 0, `${name} has no test`)
  assert.equal(result.passed + result.skipped, result.total)
  return result
}

/** Why no managers can be started here. */
function cannotManage(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'managers need Linux and root'
  const missing = MANAGERS.find((name) => findTool(name) === undefined)
  return missing === undefined ? undefined : `${missing} is not installed`
}

describe('PowerShell module in PowerShell 7.6', function () {
  this.timeout(SUITE_TIMEOUT_MS)
  const it = testsAtOnce()

  let host: ContainerHost | undefined

  before(async function () {
    requirePowerShell(this)
    if (cannotManage() === undefined) host = await startContainerHost(this)
  })

  after(async () => {
    await host?.close()
  })

  it('converts, compares and checks', async () => {
    await assertSuite('Packages')
  })

  it('lists, stops, waits for and kills containers of real dockerd, containerd and Podman', async () => {
    if (host === undefined) throw new CannotRunHere(cannotManage())
    for (const [name, command] of [
      ['by', undefined],
      ['stubborn', STUBBORN],
    ] as const) {
      await host.runInEngine(host.dockerSocket, `${name}-docker`, command)
      await host.runInEngine(host.podmanSocket, `${name}-podman`, command)
      host.runInContainerd('default', `${name}-ctr`, command)
    }
    host.runInContainerd('k8s.io', 'by-kubernetes')
    if (host.runFailure !== undefined) throw new CannotRunHere(`containers are only created here: ${host.runFailure}`)
    await assertSuite('Containers', {
      DOCKER_HOST: `unix://${host.dockerSocket}`,
      CONTAINER_HOST: `unix://${host.podmanSocket}`,
      CONTAINERD_ADDRESS: host.containerdSocket,
    })
  })

  it('carries through files, migrates, finds and runs the command line', async () => {
    const {skipped} = await assertSuite('Programs')
    assert.equal(skipped, process.platform === 'win32' ? 1 : 0)
  })

  it('is well-formed, documented and readable for Windows PowerShell 5.1', async () => {
    await assertSuite('Module')
  })

  it('carries the script of a consultant', async () => {
    await assertSuite('Script')
  })

  it('shows its objects in 80 columns', async () => {
    await assertSuite('Tables')
  })

  it('knows what the Host Compute Service answers, and does without it', async () => {
    assert.equal((await assertSuite('HostCompute')).skipped, 0)
  })

  describe('in a stand-in on Linux', () => {
    const it = testsAtOnce()
    let compiler = ''
    let folder = ''

    before(async function () {
      if (process.platform !== 'linux') skipLoudly(this, 'the stand-ins are libraries of Linux')
      compiler = requireTool(this, 'gcc')
      folder = await mkdtemp(path.join(tmpdir(), 'transship-stand-in-'))
    })

    after(async () => {
      if (folder !== '') await rm(folder, {recursive: true, force: true})
    })

    for (const library of ['computecore', 'vmcompute'])
      it(`calls ${library}.dll as it is declared`, async () => {
        const own = path.join(folder, library)
        await mkdir(own)
        const options = ['-std=c11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC']
        if (library === 'computecore') options.push('-DCORE')
        const source = path.join(TESTS, 'stand-ins', 'host-compute.c')
        runTool(compiler, [...options, '-o', path.join(own, `${library}.dll`), source])
        await assertSuite('HostCompute', {LD_LIBRARY_PATH: own, TRANSSHIP_STAND_IN: `${library}.dll`})
      })
  })
})
