//! The ways in which a connection is opened.

use super::{Conn, Stage};
use crate::scenario::complaint::Complaint;
use crate::scenario::script::{Opening, Reception, Side};
use crate::scenario::stack::Manners;

impl Stage {
    /// The client opens.
    pub(super) fn open(&mut self, conn: usize, opening: &Opening) -> Result<(), Complaint> {
        // An old connection on the same ports is seen to its end first.
        while !self.conns[conn].stacks.client.is_over() {
            if !self.step()? {
                return Err(Complaint::AlreadyOpen);
            }
        }
        self.settle()?;
        let now = self.now;
        let stacks = &mut self.conns[conn].stacks;
        let mut retries = None;
        stacks.server.manners = match opening.reception {
            Reception::Accepted | Reception::Crossing | Reception::Scan => Manners::Accept,
            Reception::EarlyIgnored => Manners::AcceptWithoutData,
            Reception::Refused => Manners::Refuse,
            Reception::Unanswered(count) => {
                retries = Some(count);
                Manners::Ignore
            }
        };
        stacks.client.connect(now, opening.isn, retries, opening.early.clone());
        if opening.reception == Reception::Scan {
            // The SYN came from a raw socket: the client's own stack knows nothing of it.
            stacks.client.forget();
        }
        self.flush(conn, Side::Client)?;
        if opening.reception == Reception::Crossing {
            self.conns[conn].stacks.server.connect(now, None, None, None);
            self.flush(conn, Side::Server)?;
        }
        match opening.reception {
            Reception::Unanswered(_) => Ok(()),
            Reception::Refused | Reception::Scan => self.settle(),
            _ => self.await_handshake(conn),
        }
    }

    /// Waits until the client is sure of the connection, or it has failed.
    fn await_handshake(&mut self, conn: usize) -> Result<(), Complaint> {
        loop {
            let Conn { stacks, vanished, .. } = &self.conns[conn];
            let hopeless = vanished.client || vanished.server || !stacks.client.is_alive();
            if stacks.client.is_open() || hopeless || !self.step()? {
                return Ok(());
            }
        }
    }
}
