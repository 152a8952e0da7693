import numpy as np
data = open('input.txt', 'r').read()
chars = list(set(data))
data_size, X_size = len(data), len(chars)
char_to_idx = {ch:i for i,ch in enumerate(chars)}
H_size = 100
T_steps = 25
learning_rate = 1e-1
z_size = H_size + X_size
def sigmoid(x): return 1 / (1 + np.exp(-x))
Wf = np.random.randn(H_size, z_size)*0.1; bf = np.zeros((H_size,1))
Wi = np.random.randn(H_size, z_size)*0.1; bi = np.zeros((H_size,1))
Wc = np.random.randn(H_size, z_size)*0.1; bc = np.zeros((H_size,1))
Wo = np.random.randn(H_size, z_size)*0.1; bo = np.zeros((H_size,1))
Wy = np.random.randn(X_size, H_size)*0.1; by = np.zeros((X_size,1))
def lossFun(inputs, targets, hprev, cprev):
    xs,zs,fs,is_,cbs,cs,os_,hs,ps = {},{},{},{},{},{},{},{},{}
    hs[-1] = np.copy(hprev); cs[-1] = np.copy(cprev)
    loss = 0
    for t in range(len(inputs)):
        xs[t] = np.zeros((X_size,1)); xs[t][inputs[t]] = 1
        zs[t] = np.vstack((hs[t-1], xs[t]))
        fs[t] = sigmoid(Wf@zs[t]+bf); is_[t] = sigmoid(Wi@zs[t]+bi); cbs[t] = np.tanh(Wc@zs[t]+bc); os_[t] = sigmoid(Wo@zs[t]+bo)
        cs[t] = fs[t]*cs[t-1] + is_[t]*cbs[t]
        hs[t] = os_[t]*np.tanh(cs[t])
        y = Wy@hs[t]+by
        ps[t] = np.exp(y)/np.sum(np.exp(y))
        loss += -np.log(ps[t][targets[t],0])
    dWf,dWi,dWc,dWo,dWy = [np.zeros_like(w) for w in (Wf,Wi,Wc,Wo,Wy)]
    dbf,dbi,dbc,dbo,dby = [np.zeros_like(w) for w in (bf,bi,bc,bo,by)]
    dhnext = np.zeros_like(hs[0]); dcnext = np.zeros_like(cs[0])
    for t in reversed(range(len(inputs))):
        dy = np.copy(ps[t]); dy[targets[t]] -= 1
        dWy += dy@hs[t].T; dby += dy
        dh = Wy.T@dy + dhnext
        do = dh*np.tanh(cs[t])*os_[t]*(1-os_[t])
        dc = dh*os_[t]*(1-np.tanh(cs[t])**2) + dcnext
        dcb = dc*is_[t]*(1-cbs[t]**2)
        di = dc*cbs[t]*is_[t]*(1-is_[t])
        df = dc*cs[t-1]*fs[t]*(1-fs[t])
        dWo += do@zs[t].T; dbo += do; dWi += di@zs[t].T; dbi += di
        dWc += dcb@zs[t].T; dbc += dcb; dWf += df@zs[t].T; dbf += df
        dz = Wf.T@df + Wi.T@di + Wc.T@dcb + Wo.T@do
        dhnext = dz[:H_size]; dcnext = fs[t]*dc
    for d in [dWf,dWi,dWc,dWo,dWy,dbf,dbi,dbc,dbo,dby]:
        np.clip(d, -5, 5, out=d)
    return loss, dWf,dWi,dWc,dWo,dWy,dbf,dbi,dbc,dbo,dby, hs[len(inputs)-1], cs[len(inputs)-1]
