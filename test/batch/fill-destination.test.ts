import assert from 'node:assert/strict'
import {fillDestination} from '../../src/batch/fill-destination.js'
import {destinationTemplate} from '../../src/batch/migrate/destination-template.js'
import {withoutHelpers} from '../../src/batch/select-rows.js'
import type {ListRow} from '../../src/convert/list.js'
import {formatReference} from '../../src/transports/catalog.js'
import {temporaryFolder} from '../helpers/temporary-folder.js'

const image = (...names: readonly string[]): ListRow => ({kind: 'image', reference: 'docker-archive:a.tar', names})
const IDENTITY = 'CN=contoso_shop_1.2.0.0'
const packed = (...names: readonly string[]): ListRow => ({
  kind: 'package',
  reference: `inbox:r:${IDENTITY}`,
  identity: IDENTITY,
  names: [IDENTITY, ...names],
})

describe('where the names of an image lead', () => {
  for (const {text, row, want, note} of [
    {
      text: 'docker://h:5000/{repository}:{tag}',
      row: packed('contoso/shop:1.2', 'contoso/shop:stable', 'fabrikam/shop:9'),
      want: ['docker://h:5000/contoso/shop 1.2 stable', 'docker://h:5000/fabrikam/shop:9'],
      note: 'tags of one repository are given together',
    },
    {
      text: 'docker://h:5000/{repository}:{tag}',
      row: packed(),
      want: ['docker://h:5000/contoso/shop:1.2.0.0'],
      note: 'a package that was no image is named by its identity',
    },
    {
      text: 'docker://h:5000/{repository}:{tag}',
      row: image('a.example/team/app:1', 'b.example/team/app:1'),
      want: ['docker://h:5000/team/app:1'],
      note: 'the host is not part of the repository',
    },
    {
      text: 'docker://h:5000/{repository}:{tag}',
      row: image('app:nul', 'app:1.', 'app:con.1'),
      want: ['docker://h:5000/app nul 1. con.1'],
      note: 'a tag may be called as a device of Windows, or end in a dot',
    },
    {
      text: 'docker-daemon:{repository}:{tag}',
      row: image('app:1', 'app:2'),
      want: ['docker-daemon:app:1', 'docker-daemon:app:2'],
      note: 'an engine gets each name',
    },
    {
      text: 'oci:layout:{tag}',
      row: image('app:1', 'app:2', 'other:2'),
      want: ['oci:layout:1', 'oci:layout:2'],
      note: 'a layout gets each tag once',
    },
    {
      text: 'docker-archive:out/{name}-{version}.tar',
      row: image('app:1', 'other:2'),
      want: ['docker-archive:out/app-1.0.0.0.tar'],
      note: 'an archive holds all names',
    },
    {
      text: 'oci:out/{repository}:{tag}',
      row: image('app:1', 'app:2', 'other:2'),
      want: ['oci:out/app:1', 'oci:out/app:2', 'oci:out/other:2'],
      note: 'under a tag, each of several layouts gets its own names alone',
    },
    {
      text: 'docker-archive:out/{repository}.tar:{repository}:{tag}',
      row: image('app:1', 'other:2'),
      want: ['docker-archive:out/app.tar:app:1', 'docker-archive:out/other.tar:other:2'],
      note: 'under a name, each of several archives gets its own alone',
    },
    {
      text: 'docker-archive:out/{tag}.tar',
      row: image('app:nul'),
      want: ['docker-archive:out/nul-.tar'],
      note: 'a file may not be called as a device of Windows',
    },
    {text: 'inbox:r', row: image('app:1', 'app:2'), want: ['inbox:r'], note: 'no field, no second destination'},
  ])
    it(`${text}: ${note}`, () => {
      const filled = fillDestination(text, row, 'a.tar')
      assert.deepEqual(
        filled.map(({destination, tags = []}) => [formatReference(destination), ...tags].join(' ')),
        want,
      )
    })
})

describe('the destination of a migration', () => {
  const folder = temporaryFolder()
  for (const [text, want] of [
    ['docker://registry.example:5000', 'docker://registry.example:5000/{repository}:{tag}'],
    ['docker://registry.example/', 'docker://registry.example/{repository}:{tag}'],
    ['docker://localhost:5000/team/', 'docker://localhost:5000/team/{repository}:{tag}'],
    ['docker://registry.example/app:1', 'docker://registry.example/app:1'],
    ['docker://app', 'docker://app'],
    ['docker-daemon:', 'docker-daemon:{repository}:{tag}'],
    ['containerd:k8s.io/', 'containerd:k8s.io/{repository}:{tag}'],
    ['docker-archive:out/', 'docker-archive:out/{name}-{version}.tar'],
    ['docker-archive:out.tar', 'docker-archive:out.tar'],
    ['oci-archive:{tag}.tar', 'oci-archive:{tag}.tar'],
    ['inbox:repository/', 'inbox:repository/'],
    ['oci:layout', 'oci:layout'],
  ] as const)
    it(`${text} is ${want}`, () => {
      assert.equal(destinationTemplate(text), want)
    })

  it('is a folder of archives where the folder exists', () => {
    const want = `docker-archive:${folder.path}/{name}-{version}.tar`
    assert.equal(destinationTemplate(`docker-archive:${folder.path}`), want)
  })
})

describe('the items of a plan', () => {
  it('are neither operating systems, nor lower packages of a chain, nor stubs', () => {
    const row = (identity: string, dependencies: readonly string[], more: Partial<ListRow> = {}): ListRow => ({
      kind: 'package',
      reference: `inbox:r:${identity}`,
      identity,
      names: [identity],
      dependencies,
      layers: 1,
      ...more,
    })
    const rows = [
      row('CN=Microsoft_WindowsServerCore_10.0.17763.1', []),
      row('CN=Microsoft_NanoServer_10.0.17763.1', [], {layers: 0}),
      row('CN=c_app-L01_1.0.0.0', ['CN=Microsoft_WindowsServerCore_10.0.17763.1']),
      row('CN=c_app_1.0.0.0', ['CN=c_APP-L01_1.0.0.0'], {names: ['CN=c_app_1.0.0.0', 'c/app:1']}),
      row('CN=c_more_1.0.0.0', ['CN=c_app_1.0.0.0']),
    ]
    assert.deepEqual(
      withoutHelpers(rows).map(({identity}) => identity),
      // An image stays one, though another was built on it.
      ['CN=c_app_1.0.0.0', 'CN=c_more_1.0.0.0'],
    )
  })
})
