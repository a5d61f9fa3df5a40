import {npm} from './fetch-package.js'
import type {PinnedPackage, Target} from './targets.js'

interface Component {
  name: string
  readonly purl?: string
}

interface Bill {
  readonly metadata: {readonly component: Component}
  readonly components: Component[]
}

/** Everything that a release carries, as CycloneDX: the packages of package-lock.json, and the Node of each executable. */
export function softwareBill(root: string, targets: readonly Target[]): string {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev', '--package-lock-only']
  const bill = JSON.parse(npm(args, root)) as Bill
  // npm takes the name of the folder.
  bill.metadata.component.name = 'transship'
  const pinned = targets.flatMap(({runtime, koffi}) => [runtime, koffi])
  const known = new Set(bill.components.map((component) => component.purl))
  bill.components.push(...pinned.map(componentOf).filter(({purl}) => !known.has(purl)))
  return `${JSON.stringify(bill, undefined, 2)}\n`
}

function componentOf({name, version, integrity}: PinnedPackage) {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
  const content = Buffer.from(integrity.replace(/^sha512-/, ''), 'base64').toString('hex')
  return {
    'bom-ref': `${name}@${version}`,
    type: 'library',
    name,
    version,
    scope: 'required',
    purl,
    hashes: [{alg: 'SHA-512', content}],
  }
}
