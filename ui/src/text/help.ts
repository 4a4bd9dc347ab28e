/**
 * Help panels, by the code of the problem they belong to. A line that begins with "- " is a step,
 * one that begins with "> " is to be typed as it stands.
 */
export const help = {
  "help.title": "Help",
  "help.close": "Close",
  "help.scam":
    "Nobody from the project will ever write to you first or ask for a seed phrase.",

  "help.N-01.title": "Start your Bitcoin node",
  "help.N-01": `{app} asks your Bitcoin node for work. It has to run, and it has to accept connections from programs.
- Start Bitcoin Core or Bitcoin Knots as you always do, and leave it open.
- If it runs already: open its settings, choose Main, tick “Enable RPC server”, and start it again.
- With a settings file, this line does the same:
> server=1
Mining goes on by itself as soon as the node answers.`,

  "help.N-04.title": "Let this computer in",
  "help.N-04": `The node answers only computers that its bitcoin.conf names. Give these lines to whoever looks after the node, with this computer's address in place of {ip}:
> rpcbind=0.0.0.0
> rpcallowip={ip}/32
- Save the file and restart the node.
- Do this only inside your own network or a VPN: the connection is not encrypted.`,

  "help.N-05.title": "Allow the login file to be read",
  "help.N-05": `The node writes a file called .cookie with a new login at each start. It belongs to the user who runs the node.
- Let the node's group read it, by this line in bitcoin.conf, then restart the node:
> rpccookieperms=group
- Add your own user to that group, sign out and in again.
Or choose “Use a login” and type a user name and a password: then no file has to be read.`,

  "help.N-09.title": "Your node is alone",
  "help.N-09": `A Bitcoin node without connections hears of no new blocks.
- Open a web page, to see whether this computer is online.
- In Bitcoin Core, open Window, then Network traffic or Peers, and see whether networking is switched on.
- A firewall or a VPN may keep Bitcoin's port 8333 from going out.
- If it uses Tor or a proxy, see whether that still runs.`,

  "help.N-10.title": "Your node may be stuck",
  "help.N-10": `Blocks come every 10 minutes on average. More than two hours without one is very rare.
- See whether the node's window shows an error.
- Close Bitcoin Core, wait until it has really ended (this may take some minutes), and start it again.
- Is the disk full? Then free some space first.
Your shares stay valid meanwhile.`,

  "help.N-14.title": "Protect the connection",
  "help.N-14": `Bitcoin's RPC is not encrypted: anybody on the way could read the login and use your node's wallet.
- Use a VPN between the two computers, WireGuard for instance, and type the node's address inside the VPN.
- Or take a node at home, in your own network.`,

  "help.C-05.title": "Restart Bitcoin Core",
  "help.C-05": `A change in bitcoin.conf counts from the next start of the node.
- Close Bitcoin Core by File, then Exit. Without a window:
> bitcoin-cli stop
- Wait until it has ended: it writes its data first.
- Start it again. {app} notices by itself.`,

  "help.A-02.title": "Which address do I choose?",
  "help.A-02": `The pool pays your address straight from the block, and older members must understand it.
- Choose a “Native SegWit” address. It begins with bc1q and has 42 characters.
- In most wallets: Receive, then address type “SegWit” or “Native SegWit”.
- Taproot addresses (bc1p…) can't be paid by the pool yet.
- Take a wallet whose words are yours alone, not a deposit address of an exchange: payments straight from a block may not be credited there.`,

  "help.P-02.title": "The pool's port seems blocked",
  "help.P-02": `Pool members talk to each other on port 9333. Guest networks, offices and some providers let only web pages through.
- Try another network, a phone's hotspot for instance, to see whether that is the cause.
- Allow outgoing connections to port 9333 in your firewall or router.
- Or use a SOCKS5 proxy in Settings, Network.
Incoming connections are not needed: you earn the same without.`,

  "help.P-09.title": "You're the only one mining",
  "help.P-09": `In the whole payout window there are only shares of yours. A block found now would be paid to you whole.
With your hashrate alone that would be very rare: the average wait on Home is computed with what mines now.
- Others may join at any time; nothing has to be done for that.
- If you expected others, look at the members on the page Pool: this may be a network cut off from the rest.`,

  "help.P-11.title": "Set your computer's clock",
  "help.P-11": `Every share carries the time. If yours is far off, others refuse it.
- Windows: Settings, Time & language, Date & time, “Set time automatically”, then “Sync now”.
- macOS: System Settings, General, Date & Time, “Set time and date automatically”.
- Linux: Settings, Date & Time, “Automatic Date & Time”. In a terminal:
> timedatectl set-ntp true
- A clock that is wrong after each start usually needs a new battery on the main board.`,

  "help.S-02.title": "Let miners through the firewall",
  "help.S-02": `Your miners connect to this computer on port 9332. The firewall has to let them in, from your own network only.
- Windows: Windows Security, Firewall, “Allow an app through firewall”, and tick {app} for private networks.
- macOS: System Settings, Network, Firewall, Options, and allow {app}.
- Linux with ufw, for a network like 192.168.1.x:
> sudo ufw allow from 192.168.1.0/24 to any port 9332 proto tcp
Then open the phone test on the page Miners: if your phone sees the page, your miners get through.`,

  "help.S-03.title": "Make this a private network",
  "help.S-03": `In a public network Windows refuses every incoming connection, miners included.
- Windows Settings, Network & internet, then your connection's properties.
- Under “Network profile type” choose “Private network”.
Do this only in your own home.`,

  "help.S-04.title": "Keep this computer's address",
  "help.S-04": `Routers may give this computer another address after a restart. Your miners then look in the wrong place.
- Open your router's page, often 192.168.1.1 or fritz.box.
- Look for “DHCP reservation”, “static lease” or “always assign this address”.
- Choose this computer and keep {ip}.`,

  "help.S-05.title": "Let {app} see your devices",
  "help.S-05": `macOS asks once whether a program may talk to devices in your home.
- System Settings, Privacy & Security, Local Network.
- Switch on {app}.
- If it stands there switched on already: switch it off and on again.`,

  "help.M-01.title": "The device sends no results",
  "help.M-01": `The device is connected, but nothing arrives.
- Wait ten minutes: a slow device may need that long for its first result.
- Look at its own page: does it show a hashrate? If not, restart it.
- A start difficulty that is too high keeps small devices silent. Lower it in Settings, Miners' door.
- Firmware older than a year may not read the pool's jobs: update it on the device's own page.`,

  "help.M-03.title": "Why is it on its backup pool?",
  "help.M-03": `A miner goes to its backup pool when this computer didn't answer for a while: it was off, asleep, or restarting.
- Most devices try their first pool again after some minutes; some only after a restart.
- “Restart it” brings it back at once.
- Keep this computer awake while miners work, in Settings, Computer.
Work for the backup pool is not lost, it is paid by that pool.`,

  "help.M-05.title": "Wrong results",
  "help.M-05": `The chip computed something wrong. That costs income and nothing else.
- Lower the frequency a little, or raise the core voltage as its maker advises.
- See whether it is hot, and clean its fan.
- A weak power supply has the same effect.`,

  "help.M-07.title": "An unknown protocol",
  "help.M-07": `Miners speak Stratum V1 here, without encryption.
- On the device, choose “Stratum V1” and switch TLS or SSL off.
- The address must begin with this and no other word:
> stratum+tcp://
- If it is no miner at all, something in your network looks around: then there is nothing to do.`,

  "help.D-01.title": "Change it on the device",
  "help.D-01": `This device doesn't take settings from other computers. Its own page does:
- Open the device's address in a browser in the same network.
- Under pool or mining settings, type the host and the port that the page Miners shows.
- Leave the old pool as the second one: it is then your backup.
- Save and restart the device.`,

  "help.D-05.title": "Set it by hand",
  "help.D-05": `We change only firmware that we know, so that nothing breaks.
- Open the device's address in a browser in the same network.
- Write down the pool that stands there now.
- Type the host and the port that the page Miners shows. User and password are free: all work is paid to your payout address.
- Save and restart the device. It appears on the page Miners by itself.`,

  "help.E-APP-01.title": "Free some space",
  "help.E-APP-01": `Mining goes on, but its history isn't written: {path}
- Empty the trash, delete what you don't need, or move it to another disk.
- A Bitcoin node can be made smaller by pruning, in its own settings.
- Is the disk write-protected or gone? Then plug it in again.
Saving goes on by itself.`,

  "help.E-CPU-01.title": "Why was the CPU miner blocked?",
  "help.E-CPU-01": `Virus scanners dislike every program that mines, because thieves use such programs on other people's computers. This one is a separate program, so that nothing else is touched.
- Look into the scanner's list of blocked files, and allow p2pool-miner there.
- Or leave it: it is only for tests. Your devices mine without it.`,
} as const;

/** Codes with a panel of their own. */
export type HelpTopic = Extract<keyof typeof help, `help.${string}.title`> extends `help.${infer T}.title`
  ? T
  : never;
