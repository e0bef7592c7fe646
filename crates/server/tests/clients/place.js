// What a program is told of the server and of itself.
const told = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
};

export const ISSUER = new URL(told('ISSUER'));
export const CLIENT_ID = told('CLIENT_ID');
export const REDIRECT_URI = process.env.REDIRECT_URI;
export const POST_LOGOUT_REDIRECT_URI = process.env.POST_LOGOUT_REDIRECT_URI;
export const PERSON = { identifier: told('EMAIL'), password: told('PASSWORD') };
export const secret = () => told('CLIENT_SECRET');

// Names the step at which a program fails.
export async function step(name, act) {
  try {
    return await act();
  } catch (error) {
    const shown = (cause) => JSON.stringify(cause, Object.getOwnPropertyNames(cause ?? {}));
    console.error(`${name}: ${error?.stack ?? error}\n${shown(error)}\n${shown(error?.cause)}`);
    process.exit(1);
  }
}

// The error of a call that must fail.
export async function refused(promise) {
  let answer;
  try {
    answer = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`it was not refused: ${JSON.stringify(answer)}`);
}
