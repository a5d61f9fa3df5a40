import assert from 'node:assert/strict'
import fc from 'fast-check'
import {chainName, identityOfImage, referenceOfIdentity} from '../../src/convert/identity-mapping.js'
import {parseImageName} from '../../src/convert/image-name.js'
import {parseDigest} from '../../src/model/digest.js'
import {formatFullName, requirePackageIdentity} from '../../src/model/package-identity.js'
import {FUZZ_RUNS} from '../helpers/fuzz.js'

const imageId = parseDigest(`sha256:44e8596d${'0'.repeat(56)}`)

describe('identity mapping', () => {
  for (const {publisher, name, version, reference} of [
    {
      publisher: 'CN=Demo',
      name: 'WindowsServerCoreIIS',
      version: '1.0.0.0',
      reference: 'demo/windowsservercoreiis:1.0.0.0',
    },
    {publisher: 'CN=Test', name: 'Image1', version: '1.0.0.0', reference: 'test/image1:1.0.0.0'},
    {publisher: 'CN=Contoso Ltd', name: 'Web.App', version: '2.1.0.0', reference: 'contoso-ltd/web.app-83grjx:2.1.0.0'},
    {
      publisher: 'CN=Contoso Corp, O=Contoso, C=US',
      name: 'web',
      version: '2.1.0.0',
      reference: 'contoso-corp-o-contoso-c-us/web-9y33p5:2.1.0.0',
    },
    {publisher: 'CN=Müller', name: 'Shop', version: '1.0.0.0', reference: 'm-ller/shop-70qyan:1.0.0.0'},
    {publisher: 'CN=Contoso', name: 'Shop.Web', version: '1.2.0.0', reference: 'contoso/shop.web:1.2.0.0'},
    {
      publisher: 'CN=Microsoft',
      name: 'WindowsServerCore',
      version: '10.0.10586.0',
      reference: 'microsoft/windowsservercore:10.0.10586.0',
    },
  ])
    it(`names ${publisher}_${name} ${reference}`, () => {
      assert.equal(referenceOfIdentity({publisher, name, version}), reference)
    })

  for (const {image, created, fullName, note} of [
    {
      image: 'contoso/shop.web:1.2.0.0',
      fullName: 'CN=contoso_shop.web_1.2.0.0',
      note: 'a four-part tag is the version',
    },
    {image: 'contoso/shop.web:v1.2', fullName: 'CN=contoso_shop.web_1.2.0.0', note: 'a shorter one is padded'},
    {image: 'app:3', fullName: 'CN=Docker_app_3.0.0.0', note: 'no path means the publisher Docker'},
    {image: 'ab:3', fullName: 'CN=Docker_ab.img_3.0.0.0', note: 'a name needs three characters'},
    {image: 'a_b/c_d_e:1', fullName: 'CN=a_b_c-d-e_1.0.0.0', note: 'a name has no underscore'},
    {
      image: 'reg.example.com:5000/x/y/app:2.0',
      fullName: 'CN=reg.example.com-5000.x.y_app_2.0.0.0',
      note: 'host in front',
    },
    {
      image: 'mcr.microsoft.com/windows/servercore:10.0.17763.1',
      fullName: 'CN=Microsoft_WindowsServerCore_10.0.17763.1',
      note: 'the OS has its official name',
    },
    {
      image: 'microsoft/nanoserver:10.0.14393.0',
      fullName: 'CN=Microsoft_NanoServer_10.0.14393.0',
      note: 'the OS has its official name',
    },
    {
      image: 'app:latest',
      created: '2016-03-26T09:05:44.123Z',
      fullName: 'CN=Docker_app_2016.326.905.17640',
      note: 'any other tag gives the creation time',
    },
    {image: 'app:latest', fullName: 'CN=Docker_app_1.0.17640.22893', note: 'without a time the image ID counts'},
    {image: 'app:0.9', fullName: 'CN=Docker_app_1.0.17640.22893', note: 'the major version is never 0'},
    {image: 'app:99999', fullName: 'CN=Docker_app_1.0.17640.22893', note: 'a part ends at 65535'},
    {image: 'dot.', fullName: 'CN=Docker_dot-_1.0.17640.22893', note: 'package names do not end with a dot'},
    {image: 'nul:1', fullName: 'CN=Docker_x-nul_1.0.0.0', note: 'device names are not package names'},
  ])
    it(`makes ${fullName} of ${image}: ${note}`, () => {
      const identity = identityOfImage(image, {imageId, ...(created === undefined ? {} : {created})})
      assert.equal(formatFullName(identity), fullName)
    })

  it('always makes a valid identity, whatever the image is called', () => {
    const word = fc.stringMatching(/^[a-z0-9]+(?:[._-][a-z0-9]+){0,3}$/)
    const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/)
    const ofDocker = fc
      .tuple(fc.array(word, {minLength: 1, maxLength: 4}), tag)
      .map(([path, version]) => `${path.join('/')}:${version}`)
    // OCI layouts and containerd have names that no engine would take.
    const ofOthers = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.@:+/-]{0,80}$/)
    const odd = fc.stringMatching(/^(?:con|nul|x|xn--|[._-]){1,3}[.]{0,60}$/)
    fc.assert(
      fc.property(fc.oneof(ofDocker, ofOthers, odd), (name) => {
        requirePackageIdentity(identityOfImage(name, {imageId}))
      }),
      {numRuns: FUZZ_RUNS},
    )
  })

  it('gives different identities different references', () => {
    const seen = new Map<string, string>()
    for (const publisher of ['CN=A B', 'CN=A-B', 'CN=A--B', 'CN=A.B', 'CN=A_B', 'CN=Ä-B']) {
      const reference = referenceOfIdentity({publisher, name: 'App', version: '1.0.0.0'})
      assert.equal(seen.get(reference), undefined, `${publisher} meets ${String(seen.get(reference))} at ${reference}`)
      seen.set(reference, publisher)
    }
  })

  it('names the links of a chain after its top', () => {
    assert.deepEqual(
      [0, 1, 2].map((index) => chainName('Shop', index, 3)),
      ['Shop-L01', 'Shop-L02', 'Shop'],
    )
    assert.equal(chainName('x'.repeat(50), 0, 2).length, 50)
  })
})

describe('image names', () => {
  for (const {text, parsed} of [
    {text: 'app', parsed: {path: 'app'}},
    {text: 'docker.io/library/app:1', parsed: {path: 'app', tag: '1'}},
    {text: 'localhost/local/win:1', parsed: {host: 'localhost', path: 'local/win', tag: '1'}},
    {text: '127.0.0.1:5000/a/b', parsed: {host: '127.0.0.1:5000', path: 'a/b'}},
    {text: 'a/b:c@sha256:00', parsed: {path: 'a/b', tag: 'c'}},
  ])
    it(`takes ${text} apart`, () => {
      assert.deepEqual(parseImageName(text), parsed)
    })
})
