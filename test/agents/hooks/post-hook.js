/** For agents whose hooks are commands: passes what the hook says to the URL of its argument, and says what is answered. */
const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const answer = await fetch(process.argv[2], { method: 'POST', body: Buffer.concat(chunks) });
process.stdout.write(await answer.text());
// An answer 4XX ends with XX: 402 blocks in the agents that know exit code 2.
process.exitCode = answer.status >= 400 ? answer.status - 400 : 0;
