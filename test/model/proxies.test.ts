import assert from 'node:assert/strict'
import {inspect} from 'node:util'
import {ProxyChoice} from '../../src/model/proxies.js'
import {proxySettings} from '../../src/terminal/docker-environment.js'

const BOTH = {https: 'http://secure.corp:3128', http: 'http://plain.corp:8080'}

describe('the choice of a proxy', () => {
  for (const {url, exceptions, want, note} of [
    {url: 'https://a.test/v2/', exceptions: undefined, want: 'http://secure.corp:3128', note: 'TLS has its own'},
    {url: 'http://a.test/v2/', exceptions: undefined, want: 'http://plain.corp:8080', note: 'and so has no TLS'},
    {url: 'https://localhost:5000/', exceptions: undefined, want: undefined, note: 'this machine is near'},
    {url: 'https://127.9.9.9/', exceptions: undefined, want: undefined, note: 'all of 127/8 is this machine'},
    {url: 'https://[::1]:5000/', exceptions: undefined, want: undefined, note: 'and so is ::1'},
    {url: 'https://[::ffff:127.0.0.1]/', exceptions: undefined, want: undefined, note: 'in IPv6 clothes too'},
    {
      url: 'https://notlocalhost/',
      exceptions: undefined,
      want: 'http://secure.corp:3128',
      note: 'a name that only ends so',
    },
    {url: 'https://a.test/', exceptions: '*', want: undefined, note: 'all'},
    {url: 'https://a.test/', exceptions: 'b.test,*', want: undefined, note: 'all, among others'},
    {url: 'https://a.test/', exceptions: 'a.test', want: undefined, note: 'the very host'},
    {url: 'https://A.test/', exceptions: 'a.TEST', want: undefined, note: 'whatever the case'},
    {url: 'https://sub.a.test/', exceptions: 'a.test', want: undefined, note: 'and what is below it'},
    {url: 'https://xa.test/', exceptions: 'a.test', want: 'http://secure.corp:3128', note: 'not what only ends so'},
    {url: 'https://sub.a.test/', exceptions: '.a.test', want: undefined, note: 'a domain'},
    {url: 'https://a.test/', exceptions: '.a.test', want: 'http://secure.corp:3128', note: 'without its own host'},
    {url: 'https://sub.a.test/', exceptions: '*.a.test', want: undefined, note: 'a star for the dot'},
    {url: 'https://a.test/', exceptions: '*.a.test', want: 'http://secure.corp:3128', note: 'that is no host'},
    {url: 'https://a.test:5000/', exceptions: 'a.test:5000', want: undefined, note: 'a host with its port'},
    {url: 'https://a.test:5001/', exceptions: 'a.test:5000', want: 'http://secure.corp:3128', note: 'and no other'},
    {url: 'https://a.test/', exceptions: 'a.test:443', want: undefined, note: 'the usual port'},
    {url: 'http://a.test/', exceptions: 'a.test:443', want: 'http://plain.corp:8080', note: 'is another without TLS'},
    {url: 'https://sub.a.test:5000/', exceptions: '.a.test:5000', want: undefined, note: 'a domain with a port'},
    {url: 'https://10.1.2.3/', exceptions: '10.1.2.3', want: undefined, note: 'an address'},
    {url: 'https://10.1.2.3:5000/', exceptions: '10.1.2.3:5000', want: undefined, note: 'an address with its port'},
    {url: 'https://10.1.2.3:5001/', exceptions: '10.1.2.3:5000', want: 'http://secure.corp:3128', note: 'and no other'},
    {url: 'https://10.1.2.3/', exceptions: '10.0.0.0/8', want: undefined, note: 'a network'},
    {url: 'https://11.1.2.3/', exceptions: '10.0.0.0/8', want: 'http://secure.corp:3128', note: 'another network'},
    {url: 'https://10.1.2.3/', exceptions: '10.0.0.0/99', want: 'http://secure.corp:3128', note: 'that is no network'},
    {url: 'https://[fd00::1]/', exceptions: 'fd00::/8', want: undefined, note: 'a network of IPv6'},
    {url: 'https://[fd00::1]/', exceptions: 'fd00:0::1', want: undefined, note: 'an address in another spelling'},
    {url: 'https://[fd00::1]:5000/', exceptions: '[fd00::1]:5000', want: undefined, note: 'with brackets and port'},
    {url: 'https://a.test/', exceptions: '10.0.0.0/8', want: 'http://secure.corp:3128', note: 'names are not resolved'},
    {url: 'https://bücher.test/', exceptions: 'bücher.test', want: undefined, note: 'other letters than of ASCII'},
    {url: 'https://c.test/', exceptions: ' a.test , b.test c.test,, ', want: undefined, note: 'blanks here and there'},
    {
      url: 'https://a.test/',
      exceptions: ':443,.,*.',
      want: 'http://secure.corp:3128',
      note: 'entries that say nothing',
    },
  ])
    it(`leads ${url} past ${exceptions ?? 'nothing'} to ${want ?? 'the host itself'}: ${note}`, () => {
      const choice = new ProxyChoice({...BOTH, ...(exceptions === undefined ? {} : {exceptions})})
      assert.equal(choice.find(new URL(url))?.origin, want)
    })

  it('takes no proxy for what has none: that for the other scheme is not one', () => {
    assert.equal(new ProxyChoice({http: BOTH.http}).find(new URL('https://a.test')), undefined)
    assert.equal(new ProxyChoice({https: BOTH.https}).find(new URL('http://a.test')), undefined)
    assert.equal(new ProxyChoice().find(new URL('https://a.test')), undefined)
  })

  for (const {text, origin, pair} of [
    {text: 'proxy.corp:3128', origin: 'http://proxy.corp:3128', pair: undefined},
    {text: ' http://proxy.corp ', origin: 'http://proxy.corp', pair: undefined},
    {text: 'https://proxy.corp', origin: 'https://proxy.corp', pair: undefined},
    {text: 'me:p%40ss@proxy.corp:3128', origin: 'http://proxy.corp:3128', pair: 'me:p@ss'},
    {text: 'http://me@proxy.corp', origin: 'http://proxy.corp', pair: 'me:'},
    {text: 'http://me:100%@proxy.corp', origin: 'http://proxy.corp', pair: 'me:100%'},
  ])
    it(`reads the address ${text}`, () => {
      const {https} = new ProxyChoice({https: text})
      const want = pair === undefined ? undefined : `Basic ${Buffer.from(pair).toString('base64')}`
      assert.deepEqual([https?.origin, https?.authorization], [origin, want])
    })

  for (const text of [
    'socks5://me:s3cr3t@proxy.corp',
    'http://me:s3cr3t@:3128',
    'http://me:s3cr3t/x@proxy:1',
    'http://',
  ])
    it(`refuses ${text}, and does not quote it`, () => {
      assert.throws(
        () => new ProxyChoice({http: text}),
        (error: Error & {code?: string}) => {
          assert.equal(error.code, 'BAD_OPTION')
          assert.match(error.message, /HTTP_PROXY/)
          assert.doesNotMatch(inspect(error, {depth: 9, showHidden: true}), /s3cr3t/)
          return true
        },
      )
    })

  it('is read from the environment in both spellings, the lower case first, where it is not empty', () => {
    assert.deepEqual(proxySettings({}), {})
    assert.deepEqual(proxySettings({HTTPS_PROXY: 'a', HTTP_PROXY: 'b', NO_PROXY: 'c'}), {
      https: 'a',
      http: 'b',
      exceptions: 'c',
    })
    assert.deepEqual(proxySettings({HTTPS_PROXY: 'a', https_proxy: 'b', no_proxy: '', NO_PROXY: 'c'}), {
      https: 'b',
      exceptions: 'c',
    })
  })
})
