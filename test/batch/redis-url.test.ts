import assert from 'node:assert/strict'
import {QueueConnection} from '../../src/batch/queue/connection.js'
import {parseRedisUrl} from '../../src/batch/queue/redis-url.js'

describe('the URL of a queue', () => {
  for (const {url, options, note} of [
    {url: 'redis://q.example', options: {host: 'q.example', port: 6379}, note: 'no more than a host'},
    {
      url: 'rediss://us%40er:p%2F%3A%23%40%25%20@q.example:6380/3',
      options: {
        host: 'q.example',
        port: 6380,
        username: 'us@er',
        password: 'p/:#@% ',
        db: 3,
        tls: {servername: 'q.example'},
      },
      note: 'what is escaped is meant as it is',
    },
    {
      url: 'rediss://10.0.0.1',
      options: {host: '10.0.0.1', port: 6379, tls: {}},
      note: 'an address is no server name of TLS',
    },
    {url: 'rediss://[::1]', options: {host: '::1', port: 6379, tls: {}}, note: 'nor is one of version 6'},
  ])
    it(`is understood: ${url}: ${note}`, () => {
      assert.deepEqual(parseRedisUrl(url).options, options)
    })

  for (const [message, code] of [
    ['getaddrinfo ENOTFOUND auth.example', 'NETWORK_FAILED'],
    ['WRONGPASS invalid username-password pair or user is disabled.', 'UNAUTHORIZED'],
    ['NOAUTH Authentication required.', 'UNAUTHORIZED'],
    ['ERR AUTH <password> called without any password configured for the default user.', 'UNAUTHORIZED'],
  ] as const)
    it(`has a server that says ${message}: ${code}`, () => {
      assert.equal(new QueueConnection(parseRedisUrl('redis://q')).asError(new Error(message)).code, code)
    })
})
