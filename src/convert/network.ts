import type {NetworkOptions} from '../model/transport.js'

/** Of many options, those that say how registries and engines are reached; what is not given stays absent. */
export function networkOf(options: NetworkOptions): NetworkOptions {
  const {tlsVerify, dockerConfig, authFile, certsFolder, proxies, engine, containerd} = options
  const {allowPrivateHosts, leastBytesPerSecond, maxRequestSeconds} = options
  return {
    ...(tlsVerify === undefined ? {} : {tlsVerify}),
    ...(dockerConfig === undefined ? {} : {dockerConfig}),
    ...(authFile === undefined ? {} : {authFile}),
    ...(certsFolder === undefined ? {} : {certsFolder}),
    ...(allowPrivateHosts === undefined ? {} : {allowPrivateHosts}),
    ...(leastBytesPerSecond === undefined ? {} : {leastBytesPerSecond}),
    ...(maxRequestSeconds === undefined ? {} : {maxRequestSeconds}),
    ...(proxies === undefined ? {} : {proxies}),
    ...(engine === undefined ? {} : {engine}),
    ...(containerd === undefined ? {} : {containerd}),
  }
}
