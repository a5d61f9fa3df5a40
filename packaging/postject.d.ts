declare module 'postject' {
  /** Puts a resource into an executable, in place. */
  export function inject(
    file: string,
    resource: string,
    bytes: Buffer,
    options: {readonly sentinelFuse: string},
  ): Promise<void>
}
