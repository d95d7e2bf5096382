// What the bundler makes of an import.
declare module "*?sharedworker&url" {
  const address: string;
  export default address;
}
