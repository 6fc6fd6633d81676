import { useState, type FormEvent, type ReactNode } from 'react';
import { isNameOfLink } from '../../core/access.ts';
import { reasonOf } from '../../feed/command-desk.ts';
import { signIn } from '../store/identity.ts';

/**
 * How somebody gets in whom the server does not know. The token is sent once, in a header, and kept nowhere.
 * @param props was: who it was until now, where it was let in before
 */
export function SignIn({ url, was }: { url: string; was: string | undefined }): ReactNode {
  const [token, setToken] = useState('');
  const [refusal, setRefusal] = useState('');
  const [isAsking, setIsAsking] = useState(false);
  const ask = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setIsAsking(true);
    try {
      await signIn(url, token.trim());
      location.reload();
    } catch (error) {
      setRefusal(reasonOf(error));
      setIsAsking(false);
    }
  };
  return (
    <main className="sign-in card">
      <h1>{was === undefined ? 'You are not logged in' : isNameOfLink(was) ? 'Your link has ended' : 'Your login has ended'}</h1>
      {was === undefined ? null : (
        <p role="alert">
          Its time is over, or somebody has revoked it. Nothing of what you watched is shown here any more.
          {isNameOfLink(was) ? ' Ask whoever gave you the link for another one.' : ''}
        </p>
      )}
      {was === undefined ? (
        <p>If you came by a link, it was opened already, or has ended: ask whoever gave it to you for another one.</p>
      ) : null}
      <p>On a machine that has your token, this opens the page as you:</p>
      <pre className="command">{`shannon-dash open --url ${url}`}</pre>
      <p>Or paste a token. It is sent once to this server and kept nowhere; the login lasts twelve hours.</p>
      <form onSubmit={(event) => void ask(event)}>
        <label className="field">
          Token
          <input
            type="password"
            autoComplete="off"
            spellCheck={false}
            required
            maxLength={8_192}
            value={token}
            onChange={(event) => setToken(event.target.value)}
          />
        </label>
        <p role="alert" className="tone-bad">
          {refusal}
        </p>
        <button type="submit" className="primary" disabled={isAsking}>
          {isAsking ? 'Logging in ...' : 'Log in'}
        </button>
      </form>
    </main>
  );
}
